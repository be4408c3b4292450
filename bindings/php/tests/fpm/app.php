<?php
// SPDX-License-Identifier: MIT
// What the workers of php-fpm run. Every value of a document follows from its number: a mixture is answered with 500.

$document = seqshare_get('shop', '', []);
$number = $document['n'] ?? -1;
$is_whole = $document === [] || ($document['twice'] === 2 * $number && $document['text'] === str_repeat("$number ", 20) &&
    count($document['list']) === 50 && $document['list'][49] === $number && seqshare_get('shop', '/deep/0/n') >= $number &&
    json_encode($document) !== false);
if (!$is_whole || Preloaded::look() < $number) {
    http_response_code(500);
    error_log('a mixture: ' . json_encode($document));
}

switch ($_GET['do'] ?? '') {
    case 'fatal': // in the middle of a walk through the document: the text of so many is longer than the limit
        ini_set('memory_limit', '8M');
        var_export(array_fill(0, 4000, $document), true);
        break;
    case 'exit':
        $GLOBALS['kept'] = [$document, array_fill(0, 1000, $document['text'])];
        exit(json_encode(['n' => $number, 'pid' => getmypid()]));
    case 'change':
        $document['list'][] = 1;
        sort($document['list']);
        unset($document['twice']);
        break;
    case 'environment':
        exit(shell_exec('env') . shell_exec('ls -l /proc/self/fd'));
    case 'memory':
        exit(json_encode(['pid' => getmypid(), 'memory' => (int)explode(' ', file_get_contents('/proc/self/statm'))[1] * 4096]));
}
echo json_encode(['n' => $number, 'version' => seqshare_version('shop'), 'pid' => getmypid()]);
