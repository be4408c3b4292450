<?php
// SPDX-License-Identifier: MIT
// Read, modify, write: sells PIECES, one by one. php update.php [PIECES]
use Seqshare\Share;

try {
    $stock = Share::create('stock', 4096, 0600, ['left' => 1000000, 'sold' => 0]);
} catch (Seqshare\Exception) { // it is there already
    $stock = Share::open('stock', write: true);
}

function sell_one(array $document): array
{
    $document['left']--;
    $document['sold']++;
    return $document;
}

for ($pieces = (int) ($argv[1] ?? 0); $pieces > 0; $pieces--) {
    $stock->update(sell_one(...), timeout: 60);
}
['left' => $left, 'sold' => $sold] = $stock->snapshot();
echo "$left left, $sold sold\n";
