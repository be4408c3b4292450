<?php
// SPDX-License-Identifier: MIT
// Values and calls by chance: fuzz.php SECONDS [SEED]. A value that JSON can hold comes back the same; any other is an
// exception, and changes nothing. Nothing ends this process.

[, $seconds] = $argv;
$seed = (int)($argv[2] ?? random_int(0, 1 << 30));
mt_srand($seed);
echo "seed $seed\n";
$path = tempnam('/dev/shm', 'seqshare.test-php.');
unlink($path);
register_shutdown_function(fn() => @unlink($path));
ini_set('error_log', '/dev/null');
$share = Seqshare\Share::create($path, 1 << 20, 0600, 0);

function bytes(): string
{
    $text = '';
    for ($i = mt_rand(0, 12); $i > 0; $i--)
        $text .= match (mt_rand(0, 5)) { 0 => chr(mt_rand(0, 255)), 1 => mb(mt_rand(0, 0x10ffff)), 2 => (string)mt_rand(-9, 99), default => chr(mt_rand(32, 126)) };
    return $text;
}

function mb(int $code): string // also what is none: halves of surrogate pairs
{
    return $code < 0x80 ? chr($code) : ($code < 0x800 ? chr(0xc0 | $code >> 6) . chr(0x80 | $code & 63)
        : ($code < 0x10000 ? chr(0xe0 | $code >> 12) . chr(0x80 | $code >> 6 & 63) . chr(0x80 | $code & 63)
        : chr(0xf0 | $code >> 18) . chr(0x80 | $code >> 12 & 63) . chr(0x80 | $code >> 6 & 63) . chr(0x80 | $code & 63)));
}

function value(int $depth)
{
    switch (mt_rand(0, $depth > 0 ? 14 : 9)) {
        case 0: return null;
        case 1: return (bool)mt_rand(0, 1);
        case 2: return mt_rand() * mt_rand(-1000, 1000);
        case 3: return [PHP_INT_MAX, PHP_INT_MIN, 0, -1][mt_rand(0, 3)];
        case 4: return unpack('d', pack('q', mt_rand() << 33 ^ mt_rand() << 11 ^ mt_rand()))[1];
        case 5: return mt_rand(0, 50) === 0 ? [NAN, INF, STDIN, fn() => 1, new DateTime][mt_rand(0, 4)] : 1.5;
        case 10: return new stdClass;
        case 11: case 12:
            for ($list = [], $i = mt_rand(0, 8); $i > 0; $i--)
                $list[] = value($depth - 1);
            return $list;
        case 13: case 14:
            for ($map = [], $i = mt_rand(0, 8); $i > 0; $i--)
                $map[bytes()] = value($depth - 1);
            return mt_rand(0, 3) ? $map : (object)$map;
        default: return bytes();
    }
}

function plain($value) // as reading gives it
{
    if (is_object($value))
        $value = (array)$value;
    return is_array($value) ? array_map('plain', $value) : $value;
}

$counts = ['published' => 0, 'refused' => 0, 'bytes' => 0, 'calls' => 0];
for ($end = microtime(true) + $seconds; microtime(true) < $end; ) {
    $value = value(mt_rand(0, 5));
    $before = $share->get();
    try {
        mt_rand(0, 1) ? $share->set($value) : $share->update(fn($document) => $value);
        $counts['published']++;
        if ($share->snapshot() !== plain($value) && plain($value) === plain($value))
            exit("not the same, with seed $seed:\n" . var_export($value, true) . "\n" . $share->get() . "\n");
        if (json_decode($share->get(), true, 600) !== $share->snapshot())
            exit("json_decode has another, with seed $seed:\n" . $share->get() . "\n");
    } catch (Seqshare\Exception $exception) {
        $counts['refused']++;
        if ($share->get() !== $before)
            exit("refused, and yet published, with seed $seed\n");
    }
    $good = $share->snapshot();
    $text = $share->get();
    for ($i = mt_rand(0, 3); $i > 0 && $text !== ''; $i--) // a text that is nearly JSON
        $text[mt_rand(0, strlen($text) - 1)] = chr(mt_rand(0, 255));
    $share->setBytes($text, mt_rand(0, 3) ? 0 : mt_rand(0, 1 << 31));
    $counts['bytes']++;
    $share->snapshot();
    try {
        match (mt_rand(0, 6)) {
            0 => $share->setIf(mt_rand(-5, 5), $value), 1 => $share->setJson(bytes()), 2 => Seqshare\Share::open(bytes()), 3 => Seqshare\Share::attach(mt_rand(-3, 50)),
            4 => $share->wait(mt_rand(-3, 3), 0), 5 => @seqshare_get(bytes(), '/' . bytes(), $value), 6 => Seqshare\Share::create($path, mt_rand(-5, 5)),
        };
    } catch (Seqshare\Exception | ValueError) {
        $counts['calls']++;
    }
    $share->set($good);
}
echo json_encode($counts), "\n";
exit(min($counts) > 0 ? 0 : 1);
