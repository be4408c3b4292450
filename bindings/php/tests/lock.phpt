--TEST--
the writer lock belongs to one process, and ends with its object, its script, or its process
--EXTENSIONS--
seqshare
pcntl
posix
--DESCRIPTION--
Shows: WRITE-1, WRITE-4, WRITE-5, WRITE-6.
--FILE--
<?php
require __DIR__ . '/kit.inc';
use Seqshare\Share;

$share = Share::create($path, 1 << 20, 0644, ['n' => 0]);
$lock = $share->lock();
var_dump($lock->isRecovered());
echo thrown(fn() => $share->lock(0)), "\n";
$share->set(['n' => 1]);
must($share->setIf(2, ['n' => 2]), 'set under the lock');
$other = php('try { Seqshare\Share::open($path)->lock(0.05); } catch (Exception $e) { echo $e->getCode(); }
    try { Seqshare\Share::open($path)->update(fn($d) => $d, 0); } catch (Exception $e) { echo " ", $e->getCode(); }
    echo " ", Seqshare\Share::open($path)->snapshot()["n"];');
must($other === '110 110 2', "another process waits, and reads: $other");
$lock->release();
$lock->release();
must(php('Seqshare\Share::open($path)->set(["n" => 3]);') === '' && $share->snapshot() === ['n' => 3], 'released');

echo "-- ends of a lock\n";
$ends = [
    'its object' => 'function f($path) { $l = Seqshare\Share::open($path)->lock(); } f($path);',
    'the script' => '$s = Seqshare\Share::open($path); $l = $s->lock();',
    'exit' => '$s = Seqshare\Share::open($path); $l = $s->lock(); exit(0);',
    'an exception' => '$s = Seqshare\Share::open($path); $l = $s->lock(); throw new Exception("that nobody catches");',
    'a fatal error' => 'ini_set("memory_limit", "4M"); $s = Seqshare\Share::open($path); $l = $s->lock(); str_repeat("x", 10000000);',
    'a fatal error in update' => 'ini_set("memory_limit", "4M"); Seqshare\Share::open($path)->update(fn($d) => str_repeat("x", 10000000));',
    'exit in update' => 'Seqshare\Share::open($path)->update(fn($d) => exit(0));',
];
foreach ($ends as $name => $code) {
    php("$code", ['error_log' => '/dev/null', 'display_errors' => '0']);
    $lock = $share->lock(10);
    must(!$lock->isRecovered(), "given back by $name");
    $lock->release();
}
php('$s = Seqshare\Share::open($path); $l = $s->lock(); posix_kill(getmypid(), SIGKILL);');
$lock = $share->lock(10);
must($lock->isRecovered(), 'taken over from a process that was killed');

echo "-- fork\n";
if (pcntl_fork() === 0) {
    $lock->release(); // the parent's
    unset($lock);
    posix_kill(getmypid(), SIGKILL);
}
pcntl_wait($status);
must($share->stat()['owner'] === getmypid(), 'a child does not give back the lock of its parent');
$waits = begin('echo Seqshare\Share::open($path)->update(fn($d) => ["n" => $d["n"] + 1])["n"];');
until(fn() => is_asleep($waits));
$share->set(['n' => 10]);
$lock->release();
must(end_of($waits) === '11', 'who waits goes on');
function is_asleep($begun)
{
    $pid = proc_get_status($begun[0])['pid'];
    return str_contains((string)@file_get_contents("/proc/$pid/wchan") . @file_get_contents("/proc/$pid/syscall"), 'futex') ||
        str_starts_with((string)@file_get_contents("/proc/$pid/syscall"), (string)(php_uname('m') === 'x86_64' ? 202 : 98));
}

echo "-- many at once\n";
$share->set(['n' => 0]);
$adders = [];
for ($i = 0; $i < 4; $i++)
    $adders[] = begin('$s = Seqshare\Share::open($path); for ($i = 0; $i < 250; $i++) $s->update(fn($d) => ["n" => $d["n"] + 1]);');
foreach ($adders as $adder)
    echo end_of($adder);
echo $share->snapshot()['n'], "\n";

echo "-- signals and limits of time while a process waits\n";
$lock = $share->lock();
$interrupted = begin('pcntl_async_signals(true); pcntl_signal(SIGUSR1, fn() => throw new Exception("a signal")); echo "\n";
    try { Seqshare\Share::open($path)->lock(); } catch (Exception $e) { echo $e->getMessage(); }');
fgets($interrupted[1]);
posix_kill(proc_get_status($interrupted[0])['pid'], SIGUSR1);
must(end_of($interrupted) === 'a signal', 'a signal handler runs, and may throw');
$lock->release();
must($share->stat()['owner'] === 0, 'nobody has the lock');
?>
--EXPECTF--
bool(false)
Seqshare\Exception 35: SHARE: this thread owns the lock already
-- ends of a lock
-- fork
-- many at once
1000
-- signals and limits of time while a process waits
