--TEST--
a file that is cut short at any moment ends no process that reads
--EXTENSIONS--
seqshare
--INI--
error_log=/dev/null
--DESCRIPTION--
Shows: READ-10.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644, ['text' => str_repeat('x', 100000)]);
copy($path, "$folder/copy");
$reader = begin('$share = Seqshare\Share::open($path, write: false); echo "ready\n";
    while (!file_exists("$path.end")) {
        strlen(seqshare_get("shop", "/text", "")) === 100000 or die("the last good document is lost");
        seqshare_version("shop"); seqshare_age("shop");
        foreach (["get", "snapshot", "version", "age", "stat"] as $method) try { $share->$method(); } catch (Seqshare\Exception $e) { }
    }
    echo "lives";', ['error_log' => '/dev/null']);
fgets($reader[1]);
$bytes = file_get_contents("$folder/copy");
$file = fopen($path, 'r+');
for ($round = 0; $round < 200; $round++) {
    ftruncate($file, [0, 100, 4096, 5000, 50000][$round % 5]);
    usleep(1000);
    rewind($file);
    fwrite($file, $bytes);
}
ftruncate($file, 0);
touch("$path.end");
echo end_of($reader), "\n";
?>
--EXPECT--
lives
