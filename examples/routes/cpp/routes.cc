// SPDX-License-Identifier: MIT
// A table of routes that the threads of one process share: a std::map, made from the text of each version once.
// For the path that it is given, each thread prints the server, and again whenever that changes.
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <seqshare/cache.h>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using routes = std::map<std::string, std::string>; // path, server

// The cache calls it in the thread that finds a new version. nullptr: the last good table stays in use.
static void *parse(void *bytes, std::size_t length, std::uint64_t, void *)
try {
    std::istringstream text(std::string(static_cast<char *>(bytes), length));
    auto table = std::make_unique<routes>();
    std::string path, server;

    while (text >> path >> server)
        (*table)[path] = server;
    if (table->empty())
        errno = EBADMSG;
    return table->empty() ? nullptr : table.release();
} catch (const std::bad_alloc &) {
    errno = ENOMEM;
    return nullptr;
}

static void destroy(void *table)
{
    delete static_cast<routes *>(table);
}

// The table of one request: it stays as it is until the section ends, whatever is published meanwhile.
class section
{
  public:
    explicit section(seqshare_cache_mt *cache)
        : cache_(cache), table_(static_cast<const routes *>(seqshare_cache_mt_enter(cache, &snapshot_)))
    {
    }
    ~section()
    {
        seqshare_cache_mt_leave(cache_, &snapshot_);
    }
    section(const section &) = delete;
    section &operator=(const section &) = delete;

    std::string find(const std::string &path) const
    {
        auto found = table_ ? table_->find(path) : routes::const_iterator();

        return table_ && found != table_->end() ? found->second : "nobody";
    }

  private:
    seqshare_snapshot snapshot_;
    seqshare_cache_mt *cache_;
    const routes *table_;
};

static void serve(seqshare_cache_mt *cache, int thread, const std::string &path)
{
    std::string last;

    for (;; std::this_thread::sleep_for(std::chrono::milliseconds(100))) { // here, a request arrives
        std::string server = section(cache).find(path);

        if (server != last)
            std::cout << "thread " + std::to_string(thread) + ": " + server + "\n" << std::flush;
        last = server;
    }
}

int main(int argc, char **argv)
{
    seqshare *share;
    seqshare_cache_mt *cache;
    int error = argc == 2 ? seqshare_open(&share, "routes", SEQSHARE_READ) : -EINVAL;

    if (!error)
        error = seqshare_cache_mt_new(&cache, share, parse, destroy, nullptr);
    if (error) {
        std::cerr << "usage: routes PATH: " << seqshare_strerror(error) << "\n";
        return 1;
    }
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; i++)
        threads.emplace_back(serve, cache, i, argv[1]);
    for (auto &thread : threads)
        thread.join();
}
