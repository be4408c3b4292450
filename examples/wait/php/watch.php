<?php
// SPDX-License-Identifier: MIT
// Acts on each change of a document, and sleeps in between: for a worker that runs from the command line.
use Seqshare\Share;

$config = Share::open('shop', write: false);

for ($seen = 0;;) {
    $seen = $config->wait($seen);
    echo 'the rate is ', $config->snapshot()['rate'] ?? 'not known', "\n";
}
