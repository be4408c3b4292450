--TEST--
a value that does not decode is tried once, and said once over all workers; all agree on the last good document
--EXTENSIONS--
seqshare
pcntl
posix
--DESCRIPTION--
Shows: JSON-2.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644, ['n' => 1]);
// A parent that opens the share, and workers that are born at different moments: each says what it has when it is asked.
$server = <<<'SERVER'
function worker() {
    [$here, $there] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
    if (pcntl_fork() === 0) {
        fclose($here);
        $fresh = Seqshare\Share::open($GLOBALS["path"], write: false);
        while (($line = fgets($there)) === "ask\n" && $fresh->version() > 0) // what version() finds, seqshare_get finds
            fwrite($there, seqshare_get("shop", "/n", "none") . " " . seqshare_version("shop") . "\n");
        posix_kill(getmypid(), SIGKILL);
    }
    return $here;
}
function ask($workers) {
    foreach ($workers as $worker) {
        fwrite($worker, "ask\n");
        echo trim(fgets($worker)), ", ";
    }
    echo "\n";
}
function publish($bytes, $tag = 0) { global $path; Seqshare\Share::open($path)->setBytes($bytes, $tag); }
$old = [worker(), worker()];
ask([$old[0]]);
publish('{"n":2}');
ask([$old[0]]);
publish('{"n":');
ask([$old[0]]);
$new = [worker(), worker()];
ask([...$old, ...$new]);
ask([...$old, ...$new]);
publish('[1]', 7);
ask([...$old, ...$new, worker()]);
publish('{"n":5}');
ask([...$old, ...$new, worker()]);
SERVER;
$said = php($server);
echo $said;
must(substr_count($said, 'seqshare: shop: ') === 1, 'said once: a second kind of it within the minute is not');

echo "-- a bad value before PHP starts\n";
$share->setBytes('bad');
echo preg_replace('/version \d+/', 'version N', php('var_dump(seqshare_get("shop", "", "default"), seqshare_version("shop"), seqshare_get("shop", "", "default"));'));
echo "-- in one object\n";
$object = php('$share = Seqshare\Share::open($path);
    try { $share->snapshot(); } catch (Exception $e) { echo get_class($e), $e->getCode(), strrchr($e->getMessage(), "/"), "\n"; }
    try { $share->snapshot(); } catch (Exception $e) { echo $e->getCode(), "\n"; }
    echo $share->stat()["failed"], $share->get(), "\n";
    $share->set(["n" => 9]); echo json_encode($share->snapshot()), "\n";
    $share->setBytes("worse"); echo json_encode($share->snapshot()), json_encode($share->snapshot()), $share->stat()["failed"], $share->stat()["decoded"], "\n";',
    ['error_log' => '/dev/null']);
echo $object;
?>
--EXPECTF--
1 1, 
2 2, 
seqshare: shop: version 3 is not used, the last good document stays: not JSON: %s
2 2, 
2 2, 2 2, 2 2, 2 2, 
2 2, 2 2, 2 2, 2 2, 
2 2, 2 2, 2 2, 2 2, 2 2, 
5 5, 5 5, 5 5, 5 5, 5 5, 
-- a bad value before PHP starts
seqshare: shop: version N is not used, the last good document stays: not JSON: %s
string(7) "default"
int(0)
string(7) "default"
-- in one object
Seqshare\Exception74/share: version 6 cannot be used: not JSON: %s
74
1bad
{"n":9}
{"n":9}{"n":9}21
