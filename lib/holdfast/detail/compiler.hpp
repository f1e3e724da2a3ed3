// What holdfast needs of a compiler. Without these lines an unsuitable compiler would report pages of other errors.
#pragma once

#if __cplusplus < 202002L
#error "holdfast needs C++20: compile with -std=c++20 or later"
#endif

#ifndef __cpp_exceptions
#error \
    "holdfast needs exceptions: it reports bad configurations with them and catches those of services; compile without \
-fno-exceptions"
#endif
