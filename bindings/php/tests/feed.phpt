--TEST--
the age of a document is its feed's, if there is one
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: FEED-9.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 16, 0644, 1);
must($share->age() < 1000, 'since it was published');
$feed = Share::create("$path.feed", 64, 0644);
$up = (float)explode(' ', file_get_contents('/proc/uptime'))[0];
$tag = 2166136261; // of seqshare_feed_1 in 64 bytes
foreach (unpack('C*', 'seqshare_feed_1' . pack('P', 64)) as $byte)
    $tag = (($tag ^ $byte) * 16777619) & 0xffffffff;
$publish = fn(int $current) => $feed->setBytes(pack('QQQqqLLLLLL', 1, 1, 1, $current, $current, 0, 1000, 1, 0, 0, 0), $tag);
$publish((int)($up / 2 * 1e9));
$age = $share->age();
must($age >= $up / 2 - 1 && $age < $up / 2 + 1000, "since it was known to be the newest: $age");
$said = (float)php('echo seqshare_age("shop");');
must($said >= $age && $said < $age + 1000, "the same by the function: $said");
$publish(0);
var_dump($share->age());
$feed->setBytes('something else');
must($share->age() < 1000, 'not a feed');
?>
--EXPECT--
float(INF)
