--TEST--
a share is followed when its name moves on, and stays while the name leads nowhere
--EXTENSIONS--
seqshare
--DESCRIPTION--
Shows: NAME-2, NAME-3, NAME-8.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

// A process that says what it has, when it is asked; and says it until that is what is wanted.
$asked = proc_open((getenv('TEST_PHP_EXECUTABLE') ?: PHP_BINARY) . ' ' . getenv('TEST_PHP_EXTRA_ARGS') .
    ' -d ' . escapeshellarg("seqshare.open=\"shop=$path\"") . " -d error_log=$folder/log " . escapeshellarg("$folder/loop.inc"), [['pipe', 'r'], ['pipe', 'w']], $pipes);
file_put_contents("$folder/loop.inc", '<?php while (($wanted = fgets(STDIN)) !== false) {
    $wanted = trim($wanted);
    for ($end = time() + ' . PATIENCE . '; json_encode($got = seqshare_get("shop")) !== $wanted && time() < $end; ) usleep(1000);
    echo json_encode($got), "\n"; }');
$becomes = function ($wanted, $what) use ($pipes) {
    fwrite($pipes[0], json_encode($wanted) . "\n");
    $got = json_decode(fgets($pipes[1]));
    must($got === $wanted, "$what: " . json_encode($got));
};
$becomes(null, 'no share');
$share = Share::create($path, 1 << 16, 0644, 1);
$becomes(1, 'made after PHP began');
$new = Share::replace($path, 1 << 18, 0644, 2);
$becomes(2, 'replaced');
must($new->version() === 2 && $new->stat()['capacity'] === 1 << 18, 'version and capacity of the new region');
must($share->snapshot() === 2 || $share->wait(1, PATIENCE) === 2 && $share->snapshot() === 2, 'an open object follows');
$share->set(3);
$becomes(3, 'published through an object of before');
must($share->get() === '3' && $new->get() === '3', 'what an object publishes, it finds');
Share::replace($path, 1 << 18, 0644);
$becomes(3, 'replaced, with the value');
Share::unlink($path);
$becomes(3, 'gone');
$again = Share::create($path, 1 << 16, 0644, 4);
$becomes(4, 'made again, with versions that begin again');
Share::create("$folder/other", 1 << 16, 0644, 5);
rename("$folder/other", $path);
$becomes(5, 'another file moved there');
$again->set(6);
$becomes(6, 'published through an object of the file before');
rename($path, "$folder/away");
$again->set(7);
must($again->get() === '7', 'a name that leads nowhere: the share stays');
rename("$folder/away", $path);
$becomes(7, 'back again');
file_put_contents($path, 'overwritten by hand');
$becomes(7, 'not a share any more');
unlink($path);
Share::create($path, 1 << 16, 0644, 8);
$becomes(8, 'mended');
fclose($pipes[0]);
proc_close($asked);
echo preg_replace('/^\[.*?\] /m', '', file_get_contents("$folder/log"));
?>
--EXPECTF--
seqshare: shop: there is no share of that name, or no such folder; %s
seqshare: shop: the share is there again
seqshare: shop: not a share, a damaged share, or a value of another type; the last good document stays
seqshare: shop: the share is there again
