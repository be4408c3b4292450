<?php
// SPDX-License-Identifier: MIT
// What a look at a configuration of 5.5 kB costs, beside what PHP programs use instead: ratios of one run.
//
//     php -d extension=seqshare -d seqshare.open='"bench=PATH"' -d apc.enable_cli=1 -d opcache.enable_cli=1 compare.php PATH [--quick]
//
// PATH is that of a share that this program makes, in a folder of its own. Each way is asked for one flag of the same
// document while nothing changes, as in a request. Rounds of all ways alternate; the least of them counts.

[, $path] = $argv;
$quick = in_array('--quick', $argv);
$rounds = $quick ? 3 : 15;
$folder = dirname($path);
$document = ['flags' => ['dark' => true], 'limits' => ['rate' => 100], 'routes' => []];
for ($i = 0; $i < 220; $i++)
    $document['routes'][] = "/path/$i/to/something";
$json = json_encode($document, JSON_UNESCAPED_SLASHES);
@unlink($path);
Seqshare\Share::create($path, 1 << 20, 0644, $document);
if (seqshare_get('bench') !== $document)
    exit("the share is not the one of seqshare.open\n");
$object = Seqshare\Share::open($path, write: false);

file_put_contents("$folder/config.json", $json);
file_put_contents("$folder/config.php", '<?php return ' . var_export($document, true) . ';');
touch("$folder/config.php", time() - 60); // opcache takes no file that is just being written

/** name => [what it does, a loop that looks so many times] */
$ways = [
    'a plain function' => ['spl_object_id', function (int $n) use ($object) { while ($n--) spl_object_id($object); }],
    'seqshare_get' => ['the document', function (int $n) { while ($n--) seqshare_get('bench'); }],
    'seqshare_get, a flag' => ['and its array', function (int $n) { while ($n--) seqshare_get('bench')['flags']['dark']; }],
    'seqshare_get, a pointer' => ['/flags/dark', function (int $n) { while ($n--) seqshare_get('bench', '/flags/dark', false); }],
    'Share::snapshot' => ['looks on every call', function (int $n) use ($object) { while ($n--) $object->snapshot()['flags']['dark']; }],
    'include' => ['of a var_export, by opcache', function (int $n) use ($folder) { while ($n--) (include "$folder/config.php")['flags']['dark']; }],
    'file + json_decode' => ['read at each look', function (int $n) use ($folder) { while ($n--) json_decode(file_get_contents("$folder/config.json"), true)['flags']['dark']; }],
];
if (function_exists('apcu_fetch') && apcu_store('config', $document))
    $ways['apcu_fetch'] = ['the same array', function (int $n) { while ($n--) apcu_fetch('config')['flags']['dark']; }];
else
    fwrite(STDERR, "APCu: left out, it is not there, or apc.enable_cli is off\n");

$server = null;
if (class_exists('Redis') && shell_exec('command -v redis-server')) {
    $server = proc_open(['redis-server', '--port', '0', '--unixsocket', "$folder/redis", '--save', '', '--dir', $folder], [1 => ['file', '/dev/null', 'w']], $pipes);
    $redis = new Redis;
    for ($end = time() + 60; time() < $end; usleep(10000))
        if (file_exists("$folder/redis") && @$redis->connect("$folder/redis"))
            break;
    $redis->set('config', $json);
    $ways['Redis'] = ['a Unix socket, and json_decode', function (int $n) use ($redis) { while ($n--) json_decode($redis->get('config'), true)['flags']['dark']; }];
} else {
    fwrite(STDERR, "Redis: left out, php-redis or redis-server is not there\n");
}

function nanoseconds(callable $loop, float $least): float
{
    for ($n = 16; ; $n *= 2) {
        $begin = hrtime(true);
        $loop($n);
        $took = hrtime(true) - $begin;
        if ($took > $least * 1e9)
            return $took / $n;
    }
}

$best = array_fill_keys(array_keys($ways), INF);
for ($round = 0; $round < $rounds; $round++)
    foreach ($ways as $name => [, $loop])
        $best[$name] = min($best[$name], nanoseconds($loop, $quick ? 0.002 : 0.05));
if ($server) {
    proc_terminate($server);
    proc_close($server);
}
array_map('unlink', ["$folder/config.json", "$folder/config.php", $path]);

asort($best);
printf("PHP %s, a document of %d bytes of JSON, nothing changes\n\n| a look at one flag | | ns | as many times seqshare_get |\n| --- | --- | ---: | ---: |\n", PHP_VERSION, strlen($json));
foreach ($best as $name => $ns)
    printf("| %s | %s | %s | %s x |\n", $name, $ways[$name][0], number_format($ns), number_format($ns / $best['seqshare_get, a flag'], $ns < 10 * $best['seqshare_get, a flag'] ? 2 : 0));
