// SPDX-License-Identifier: MIT
// Limits as a struct, in a share that has a name: with two numbers it publishes them, without any it shows them.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <seqshare/seqshare.h>
#include <stdexcept>

struct limits {
    std::uint32_t requests_per_second, burst;
};
SEQSHARE_TYPE(limits, limits)

using share = std::unique_ptr<seqshare, decltype(&seqshare_close)>;

static void check(int error)
{
    if (error < 0)
        throw std::runtime_error(seqshare_strerror(error));
}

static share open_share(const char *name, int access)
{
    seqshare *opened;

    check(seqshare_open(&opened, name, access));
    return share(opened, seqshare_close);
}

static void publish(const char *name, const limits &value)
{
    seqshare *made;

    if (seqshare_create(&made, name, sizeof value, 0644) == 0) // the first time
        seqshare_close(made);
    check(limits_set(open_share(name, SEQSHARE_WRITE).get(), &value));
}

static limits look(const char *name)
{
    limits value;

    check(limits_get(open_share(name, SEQSHARE_READ).get(), &value));
    return value;
}

static std::uint32_t number(const char *text)
{
    return static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

int main(int argc, char **argv)
try {
    if (argc == 3)
        publish("limits", {number(argv[1]), number(argv[2])});
    limits now = look("limits");
    std::cout << now.requests_per_second << " a second, burst " << now.burst << "\n";
} catch (const std::exception &error) {
    std::cerr << "limits: " << error.what() << "\n";
    return 1;
}
