--TEST--
a script that never ends keeps no old document that it does not use
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: no promise: nothing is left behind.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

Share::create($path, 1 << 20, 0644);
echo php(<<<'SCRIPT'
const PUBLICATIONS = 2000;
function memory() { return (int)explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096; }
function descriptors() { return count(scandir('/proc/self/fd')); }
$share = Seqshare\Share::open($path);
$held = [];
function publish($from, $to) {
    global $share, $held;
    for ($n = $from; $n < $to; $n++) {
        $share->set(['n' => $n, 'list' => range(0, 300), "name$n" => ['text' => str_repeat("$n ", 100)]]);
        $document = seqshare_get('shop');
        if ($document['n'] !== $n || $share->snapshot() !== $document || seqshare_get('shop', "/name$n/text") !== str_repeat("$n ", 100))
            die("version $n");
        $kept = [];
        foreach ($document as $name => $value)
            $kept[$name] = $value;
        $kept['list'][] = 1;
        if ($n % 500 === 0)
            $held[$n] = [$document["name$n"], $name, $document]; // in use: stays
        if ($n % 10 === 0) {
            $share->setBytes('bad');
            seqshare_get('shop');
            Seqshare\Share::replace($GLOBALS['path'], 1 << 20, 0644);
            Seqshare\Share::open($GLOBALS['path'])->get();
        }
    }
}
publish(0, 300);
$document = null;
$before = [memory(), descriptors()];
publish(300, 300 + PUBLICATIONS);
echo memory() - $before[0] < 2 << 20 ? "memory stays\n" : "memory grows by " . (memory() - $before[0]) . "\n";
echo descriptors() - $before[1], " descriptors more\n";
foreach ($held as $n => [$part, $name, $document])
    if ($part['text'] !== str_repeat("$n ", 100) || $name !== "name$n" || count($document['list']) !== 301)
        echo "version $n has changed\n";
SCRIPT, ['error_log' => '/dev/null']);
?>
--EXPECT--
memory stays
0 descriptors more
