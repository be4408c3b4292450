<?php
// SPDX-License-Identifier: MIT
// PHP: the class Seqshare\Share. An object is stdClass when it is published, because PHP's arrays do not know {} from [];
// what is read goes the way of json_decode with arrays, and its empty arrays are compared with that in mind.
use Seqshare\Share;

ini_set('error_log', '/dev/null');
ini_set('memory_limit', '-1');
ini_set('serialize_precision', '-1');
$share = Share::open($argv[1]);

function answer(Share $share, string $word, string $text): string
{
    if ($word === 'publish') {
        $share->set(json_decode($text, false, 600, JSON_THROW_ON_ERROR));
        return 'ok';
    }
    $document = $share->snapshot();
    return 'ok ' . $share->version() . ' ' . bin2hex(json_encode($document, JSON_PRESERVE_ZERO_FRACTION | JSON_THROW_ON_ERROR, 600));
}

echo "ready bigint uint64 empty-object\n";
while (($line = fgets(STDIN)) !== false) {
    [$word, $text] = explode(' ', trim($line)) + [1 => ''];
    try {
        echo answer($share, $word, hex2bin($text)), "\n";
    } catch (Throwable $thrown) {
        echo $word === 'publish' ? 'refused ' : 'none ', preg_replace('/\s+/', ' ', $thrown->getMessage()), "\n";
    }
}
