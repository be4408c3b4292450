--TEST--
wrong parts of seqshare.open are said by name when PHP starts, and the others work
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: no promise: what is wrong in php.ini is said at the start.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

Share::create($path, 1 << 20, 0644, ['n' => 1]);
file_put_contents("$folder/other", 'not a share');
$report = ['display_startup_errors' => '1', 'display_errors' => '1', 'log_errors' => '0'];
function start(string $setting)
{
    global $folder, $path, $report;
    $said = php('echo "n is ", seqshare_get("shop", "/n", "nothing"), "\n";', ['seqshare.open' => "\"$setting\""] + $report);
    echo "-- ", str_replace($folder, 'FOLDER', preg_replace('/ in (Unknown|Standard).*/', '', $said));
}
start("shop=$path");
start(" , shop=$path ,, ");
start("shop=$path,shop=$path");
start("=$path, shop=$path");
start("bad=, shop=$path");
start("$path, shop=$path");
start("a=b/c, shop=$path");
start("shop=$folder/none");
start("shop=$folder/other");
start(str_repeat('x', 300) . ", shop=$path");
echo php('var_dump(ini_set("seqshare.open", "x"), ini_get("seqshare.open") !== "x");');
?>
--EXPECTF--
-- n is 1
-- n is 1
-- 
Warning: seqshare.open: "shop=FOLDER/share": this name is given twice
n is 1
-- 
Warning: seqshare.open: "=FOLDER/share": expected NAME=PATH, or the name of a share
n is 1
-- 
Warning: seqshare.open: "bad=": expected NAME=PATH, or the name of a share
n is 1
-- 
Warning: seqshare.open: "FOLDER/share": a path needs a name before it: NAME=PATH
n is 1
-- 
Warning: seqshare.open: "a=b/c": a path must begin with a slash
n is 1
-- seqshare: shop: there is no share of that name, or no such folder; there is no document yet, and the name is asked once a second
n is nothing
-- seqshare: shop: not a share, a damaged share, or a value of another type; there is no document yet, and the name is asked once a second
n is nothing
-- 
Warning: seqshare.open: "xxx%s": the name is too long
n is 1
bool(false)
bool(true)
