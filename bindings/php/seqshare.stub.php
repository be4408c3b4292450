<?php

/**
 * SPDX-License-Identifier: MIT
 *
 * The names of the extension. From this file PHP's gen_stub.php makes seqshare_arginfo.h.
 *
 * @generate-class-entries
 */

namespace {
    /**
     * The document of a share of php.ini's seqshare.open, or the value at a JSON Pointer in it: decoded once a
     * version, and never copied. $default: there is no such value, or it is null, or there is no document yet.
     */
    function seqshare_get(string $name, string $pointer = "", mixed $default = null): mixed {}

    /** The version of the document that seqshare_get gives; 0: there is none yet. */
    function seqshare_version(string $name): int {}

    /**
     * For how many seconds nobody has known that the document is the newest: with a feed, since it was last known to
     * be the source's (INF: never since boot); without one, since it was published. Null: there is none yet.
     */
    function seqshare_age(string $name): ?float {}
}

namespace Seqshare {
    /** What the library refused: the code is the errno value, the message has its sentence. */
    class Exception extends \RuntimeException
    {
    }

    /**
     * @strict-properties
     * @not-serializable
     */
    final class Share
    {
        private function __construct() {}

        /** A named share. $write: true: or fail; false: to read; null: for writing if this user may. */
        public static function open(string $name, ?bool $write = null, bool $anyOwner = false): Share {}

        /** Make a named share, with exactly that mode, and with a value if there is a fourth argument. */
        public static function create(string $name, int $capacity, int $mode = 0600, mixed $value = UNKNOWN): Share {}

        /** Give the name a new region in one step: with its value and version, or with another value. */
        public static function replace(string $name, int $capacity, int $mode = 0600, mixed $value = UNKNOWN): Share {}

        /** A share without a name, for children of pcntl_fork. */
        public static function anonymous(int $capacity): Share {}

        /** A share by a descriptor of its region, which stays open. */
        public static function attach(int $descriptor, bool $write = false, bool $anyOwner = false): Share {}

        /** Remove a name. Shares that are open go on as they are. */
        public static function unlink(string $name): void {}

        /** The newest document, or the last good one while the newest does not decode. */
        public function snapshot(): mixed {}

        /** The bytes of the newest value. */
        public function get(): string {}

        /** The newest version; 0: nothing has been published. */
        public function version(): int {}

        /** As seqshare_age. */
        public function age(): ?float {}

        /** Facts about the share, and how its documents fare. */
        public function stat(): array {}

        /** Publish a document: scalars, null, arrays and stdClass. */
        public function set(mixed $value): void {}

        /** Publish only over that version. False: another one is there. */
        public function setIf(int $version, mixed $value): bool {}

        /** Publish a document that is JSON already. */
        public function setJson(string $json): void {}

        /** Publish bytes as they are. */
        public function setBytes(string $bytes, int $tag = 0): void {}

        /**
         * Read, modify and write under the lock: $change gets the document (null: there is none yet) and returns
         * another one, which is published and returned.
         */
        public function update(callable $change, ?float $timeout = null): mixed {}

        /** The writer lock, until release() or the end of the object. */
        public function lock(?float $timeout = null): Lock {}

        /** Sleep until the version differs from $seen (null: the newest one now). Null: $timeout seconds are over. */
        public function wait(?int $seen = null, ?float $timeout = null): ?int {}

        /** Give up writing through this object, for good. */
        public function dropWrite(): void {}
    }

    /**
     * The writer lock of a share: held until release(), or until nobody has the object.
     *
     * @strict-properties
     * @not-serializable
     */
    final class Lock
    {
        private function __construct() {}

        /** Was it taken over from an owner that died? */
        public function isRecovered(): bool {}

        /** Give it back. Twice is once. */
        public function release(): void {}
    }
}
