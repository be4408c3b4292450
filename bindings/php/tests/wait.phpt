--TEST--
wait ends when there is another version, also in a region that replaces this one
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: WAIT-1.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 16, 0644);
var_dump($share->wait(0, 0), $share->wait(null, 0.01));
$share->set(1);
var_dump($share->wait(0));
$waiter = begin('$s = Seqshare\Share::open($path, write: false); echo "ready\n"; for ($v = 1; ; ) { $v = $s->wait($v); echo $n = $s->snapshot(), seqshare_get("shop"), "\n"; if ($n === 9) break; }');
fgets($waiter[1]);
foreach ([2, 3, 4] as $value) {
    $share->set($value);
    echo fgets($waiter[1]);
}
Share::replace($path, 1 << 18, 0644, 5);
echo fgets($waiter[1]);
unlink($path);
$share = Share::create($path, 1 << 16, 0644, 6);
echo fgets($waiter[1]);
$share->set(9);
echo end_of($waiter);
?>
--EXPECT--
NULL
NULL
int(1)
22
33
44
55
66
99
