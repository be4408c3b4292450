/* SPDX-License-Identifier: MIT */
/* Leaving a decode by a C++ exception. */
#include "leaving.h"

#include <cstdlib>
#include <stdexcept>

void leaving_throw(void)
{
    throw std::runtime_error("not decoded");
}

void leaving_catch(void *(*body)(void *), void *context)
{
    try {
        body(context);
    } catch (const std::runtime_error &) {
        return;
    }
    std::abort();
}
