<?php
// SPDX-License-Identifier: MIT
// opcache preloads this, in php-fpm's master: before any worker, and with a document at hand.

class Preloaded
{
    public const EARLY = 'early';
    private static ?array $first = null;

    public static function look(): int
    {
        static $document;
        $document = seqshare_get('shop');
        return $document['n'] ?? PHP_INT_MAX;
    }

    public static function keep(): void
    {
        self::$first = seqshare_get('shop');
        file_put_contents(ini_get('error_log') . '.preload', json_encode(self::$first['n'] ?? null));
    }
}

Preloaded::keep();
