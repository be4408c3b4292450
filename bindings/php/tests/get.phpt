--TEST--
seqshare_get finds documents and values in them, without a copy of its own
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: READ-6.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644);
$ask = '$get = fn(...$what) => print(json_encode(seqshare_get("shop", ...$what), JSON_PRESERVE_ZERO_FRACTION) . "\n");';
echo php($ask . '$get(); $get("", 7); $get("/a", "none"); var_dump(seqshare_version("shop"), seqshare_age("shop"));');
$share->setJson('{"a":{"b":[1,2.5,true,null,"x"]},"":{"":1},"x/y":{"~":2},"0":"zero","01":"one","empty":{},"big":12345678901234567890}');
echo php($ask . '$get(); $get("/a/b/1"); $get("/a/b/2"); $get("/a/b/3", "default"); $get("/a/b/5", "default"); $get("/a/b/-", 1);
    $get("/"); $get("//"); $get("/x~1y/~0"); $get("/0"); $get("/01"); $get("/empty"); $get("/a/b/4/deeper", 9); $get("/none"); $get("/big");
    var_dump(seqshare_version("shop"), seqshare_age("shop") < 1000);');
echo php('foreach (["x", "/~", "/a~2b", "/~~"] as $wrong) try { seqshare_get("shop", $wrong); } catch (ValueError $e) { echo $e->getMessage(), "\n"; }');
echo php('var_dump(seqshare_get("shpo", "/a", 5)); var_dump(seqshare_version("shpo"), seqshare_age("shpo"));', ['display_errors' => '1', 'log_errors' => '0']);
foreach (['"text"', '12', '1.0', '-0.0', 'true', 'null', '[]', '""'] as $json) {
    $share->setJson($json);
    echo php($ask . '$get("", "default");');
}
?>
--EXPECT--
null
7
"none"
int(0)
NULL
{"a":{"b":[1,2.5,true,null,"x"]},"":{"":1},"x\/y":{"~":2},"0":"zero","01":"one","empty":[],"big":1.2345678901234567e+19}
2.5
true
"default"
"default"
1
{"":1}
1
2
"zero"
"one"
[]
9
null
1.2345678901234567e+19
int(1)
bool(true)
seqshare_get(): Argument #2 ($pointer) must be "" or begin with "/", with 0 or 1 after each "~"
seqshare_get(): Argument #2 ($pointer) must be "" or begin with "/", with 0 or 1 after each "~"
seqshare_get(): Argument #2 ($pointer) must be "" or begin with "/", with 0 or 1 after each "~"
seqshare_get(): Argument #2 ($pointer) must be "" or begin with "/", with 0 or 1 after each "~"

Warning: seqshare_get(): No share is named "shpo" in seqshare.open in Standard input code on line 1
int(5)

Warning: seqshare_version(): No share is named "shpo" in seqshare.open in Standard input code on line 1

Warning: seqshare_age(): No share is named "shpo" in seqshare.open in Standard input code on line 1
int(0)
NULL
"text"
12
1.0
-0.0
true
"default"
[]
""
