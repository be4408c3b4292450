// SPDX-License-Identifier: MIT
// Read, modify, write by std::lock_guard: sells PIECES, from the stock that update/c has too.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <seqshare/seqshare.h>
#include <system_error>

struct stock {
    std::int64_t left, sold;
};
SEQSHARE_TYPE(stock, stock)

class shared_stock
{
  public:
    shared_stock()
    {
        int error = seqshare_create(&share_, "stock", sizeof(stock), 0600);

        check(error == -EEXIST ? seqshare_open(&share_, "stock", SEQSHARE_WRITE) : error);
    }
    ~shared_stock()
    {
        seqshare_close(share_);
    }
    shared_stock(const shared_stock &) = delete;
    shared_stock &operator=(const shared_stock &) = delete;

    void lock() // what std::lock_guard calls
    {
        check(seqshare_lock(share_));
    }
    void unlock()
    {
        seqshare_unlock(share_);
    }
    stock get() const
    {
        stock now = {1000000000, 0}; // if nothing has been published yet
        int error = stock_get(share_, &now);

        check(error == -ENODATA ? 0 : error);
        return now;
    }
    void set(const stock &now)
    {
        check(stock_set(share_, &now));
    }

  private:
    static void check(int error)
    {
        if (error < 0)
            throw std::system_error(-error, std::generic_category(), seqshare_strerror(error));
    }
    seqshare *share_ = nullptr;
};

static void sell_one(shared_stock &shared)
{
    std::lock_guard<shared_stock> locked(shared); // nobody else writes from here on; readers never notice
    stock now = shared.get();

    now.left--;
    now.sold++;
    shared.set(now);
}

int main(int argc, char **argv)
try {
    shared_stock shared;

    for (int pieces = argc == 2 ? std::atoi(argv[1]) : 0; pieces > 0; pieces--)
        sell_one(shared);
    std::cout << shared.get().left << " left, " << shared.get().sold << " sold\n";
} catch (const std::exception &error) {
    std::cerr << "stock: " << error.what() << "\n";
    return 1;
}
