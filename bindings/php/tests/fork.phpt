--TEST--
a share without a name is for children of fork; one by descriptor for whoever has that
--EXTENSIONS--
seqshare
pcntl
posix
--DESCRIPTION--
Shows: WRITE-1, NAME-6.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::anonymous(1 << 20);
$share->set(['sum' => 0]);
for ($i = 0; $i < 4; $i++)
    if (pcntl_fork() === 0) {
        for ($n = 0; $n < 200; $n++)
            $share->update(fn($document) => ['sum' => $document['sum'] + 1]);
        posix_kill(getmypid(), SIGKILL);
    }
while (pcntl_wait($status) > 0);
echo json_encode($share->snapshot()), ' ', $share->version(), "\n";

Share::create($path, 1 << 16, 0644, 'by descriptor');
$command = (getenv('TEST_PHP_EXECUTABLE') ?: PHP_BINARY) . ' ' . getenv('TEST_PHP_EXTRA_ARGS') . ' -r ' . escapeshellarg(
    '$s = Seqshare\Share::attach(5); echo $s->snapshot(), "\n"; try { $s->set(1); } catch (Exception $e) { echo $e->getCode(), "\n"; }
    try { Seqshare\Share::attach(5, write: true); } catch (Exception $e) { echo $e->getCode(), "\n"; } Seqshare\Share::attach(6, true)->set("written");');
passthru("exec $command 5<$path 6<>$path");
echo Share::open($path)->snapshot(), "\n";
?>
--EXPECT--
{"sum":800} 801
by descriptor
30
13
written
