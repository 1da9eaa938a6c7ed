// The one place that knows which Catch2 is installed: Debian 12 ships 2.13
// (one big header), newer systems 3.x (a library with small headers). Tests
// include this file and use only what both have.
#pragma once

#if __has_include(<catch2/catch_test_macros.hpp>)
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/catch_tostring.hpp>
#include <catch2/generators/catch_generators.hpp>
#else
#include <catch2/catch.hpp>
#endif
