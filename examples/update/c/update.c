/* SPDX-License-Identifier: MIT */
/*
 * Read, modify, write: sells PIECES, one by one. Run several of it at once, and kill them as you
 * like: no sale is lost, and none is half counted.
 */
#include <seqshare/seqshare.h>
#include <stdio.h>
#include <stdlib.h>

struct stock {
    int64_t left, sold;
};
SEQSHARE_TYPE(stock, struct stock)

/* Nobody else writes between the get and the set; readers never notice. */
static int sell_one(seqshare *share)
{
    struct stock stock = {1000000000, 0}; /* if nothing has been published yet */
    int error = seqshare_lock(share);     /* 1: its last owner died; the value is whole all the same */

    if (error < 0)
        return error;
    error = stock_get(share, &stock);
    if (!error || error == -ENODATA) {
        stock.left--;
        stock.sold++;
        error = stock_set(share, &stock);
    }
    seqshare_unlock(share);
    return error;
}

int main(int argc, char **argv)
{
    seqshare *share;
    struct stock stock = {0, 0};
    int pieces = argc == 2 ? atoi(argv[1]) : 0;
    int error = seqshare_create(&share, "stock", sizeof stock, 0600);

    if (error == -EEXIST)
        error = seqshare_open(&share, "stock", SEQSHARE_WRITE);
    for (int i = 0; !error && i < pieces; i++)
        error = sell_one(share);
    if (!error)
        error = stock_get(share, &stock);
    if (error) {
        fprintf(stderr, "stock: %s\n", seqshare_strerror(error));
        return 1;
    }
    printf("%lld left, %lld sold\n", (long long)stock.left, (long long)stock.sold);
    return 0;
}
