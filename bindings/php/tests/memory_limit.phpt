--TEST--
memory_limit is what it was after a document that came near it
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: no promise: documents do not count in memory_limit, and do not switch it off.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

const SHARES = 8; // PHP keeps a chunk in hand after it has freed a few of them
$document = ['large' => str_repeat('v', 1000000)];
foreach ([40, 60, 100, 150, 190, 300, 450, 600, 800, 1000, 1200, 1500, 1900, 2400, 3000] as $length)
    $document[str_repeat('k', $length)] = str_repeat('v', $length);

// Lengths by chance, as far as opcache knows: it makes constants of strings otherwise.
$script = <<<'SCRIPT'
$little = random_int(3900, 3900);
$much = random_int(500000, 500000);
for ($n = 0; $n < $shares; $n++)
    $opened[] = Seqshare\Share::open("$path.$n");
$fill = new SplFixedArray(100000);
$count = 0;
for ($size = memory_get_usage(true) + (6 << 20); memory_get_usage(true) < $size; )
    $fill[$count++] = str_repeat('x', $little);
while ($pages-- > 0)
    $fill[$count++] = str_repeat('x', $little);
ini_set('memory_limit', (string)memory_get_usage(true));
foreach ($opened as $share)
    $share->snapshot();
for ($i = 0; $i < 100; $i++)
    $fill[$count++] = str_repeat('w', $much);
echo 'there is no limit any more';
SCRIPT;

for ($n = 0; $n < SHARES; $n++)
    Share::create("$path.$n", 2 << 20, 0600, $document);
foreach ([0, 300, 480, 500, 505, 508, 509] as $pages)
    foreach ([1, SHARES] as $shares) {
        $said = php("\$pages = $pages; \$shares = $shares; $script");
        if (!preg_match('/Allowed memory size of \d+ bytes exhausted/', $said))
            echo "$pages pages, $shares shares: $said\n";
    }
?>
done
--EXPECT--
done
