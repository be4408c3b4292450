// SPDX-License-Identifier: MIT
// The server etcd, of the version that go.mod names: for the long programme, beside Debian's 3.4.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
