<?php
// SPDX-License-Identifier: MIT
// A page that looks at a flag on every request. The share is named in php-fpm.conf.
echo seqshare_get('shop', '/flags/dark', false) ? "dark\n" : "light\n";
