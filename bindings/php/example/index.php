<?php
// SPDX-License-Identifier: MIT
// One look gives the request values that belong together, whatever anybody publishes meanwhile.
$config = seqshare_get('shop', '', []);

header('Content-Type: text/plain');
header('X-Config-Version: ' . seqshare_version('shop'));
echo $config['flags']['dark'] ?? false ? "dark\n" : "light\n";
echo 'rate ', $config['limits']['rate'] ?? 10, "\n";
