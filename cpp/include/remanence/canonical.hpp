// Libm-free exp and log with the same bits on every machine, lane width and compiler.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

#include "remanence/export.hpp"

/// Every function is a fixed sequence of IEEE-754 round-to-nearest +, -, *, / and integer bit
/// operations, so a scalar, a GCC vector (`float __attribute__((vector_size(64)))`) and a GPU
/// thread return the same bits. This holds only without contraction to fused multiply-add
/// (-ffp-contract=off, nvcc -fmad=false) and without -ffast-math.
/// Functions are always inlined: kernels built for different instruction sets must not share code.
namespace remanence {

#define REMANENCE_LANE_FN REMANENCE_HD REMANENCE_INLINE

namespace lanes {

template <class V>
struct IntOf {
    using type = decltype(V{} < V{});  // a GCC vector compares into its signed integer twin
};
template <>
struct IntOf<float> {
    using type = std::int32_t;
};
template <>
struct IntOf<double> {
    using type = std::int64_t;
};

/// Signed integer lanes of the same width and count as V.
template <class V>
using Int = typename IntOf<V>::type;

/// The bits of `from` seen as another lane type of the same size.
template <class To, class From>
REMANENCE_LANE_FN To bits_as(const From& from) {
    static_assert(sizeof(To) == sizeof(From));
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
}

/// Lane-wise `mask ? yes : no`; `mask` is what comparing two V gives (bool for scalars).
template <class M, class V>
REMANENCE_LANE_FN V select(const M& mask, const V& yes, const V& no) {
    return mask ? yes : no;
}

/// Lane-wise `a and b` of two comparison results.
REMANENCE_LANE_FN bool both(bool a, bool b) { return a && b; }
template <class M>
REMANENCE_LANE_FN M both(const M& a, const M& b) {
    return a & b;
}

/// `value` in every lane.
template <class V, class S>
REMANENCE_LANE_FN V splat(S value) {
    return V{} + value;
}

/// An integer n near x, ties to even, as a lane value (`value`) and as integer lanes (`index`).
template <class V>
struct Rounded {
    V value;
    Int<V> index;
};

/// Nearest integer to float lanes, |x| < 2^22. Adding 1.5 * 2^23 leaves no fraction bits.
template <class V>
REMANENCE_LANE_FN Rounded<V> round_f32(const V& x) {
    const V shifted = x + 0x1.8p23f;
    return {shifted - 0x1.8p23f, bits_as<Int<V>>(shifted) - std::int32_t{0x4B400000}};
}

/// Nearest integer to double lanes, |x| < 2^51. Adding 1.5 * 2^52 leaves no fraction bits.
template <class V>
REMANENCE_LANE_FN Rounded<V> round_f64(const V& x) {
    const V shifted = x + 0x1.8p52;
    return {shifted - 0x1.8p52, bits_as<Int<V>>(shifted) - std::int64_t{0x4338000000000000}};
}

/// 2^n for integer lanes, -126 <= n <= 127.
template <class V>
REMANENCE_LANE_FN V power_of_two_f32(const Int<V>& n) {
    return bits_as<V>((n + std::int32_t{127}) << 23);
}

/// 2^n for integer lanes, -1022 <= n <= 1023.
template <class V>
REMANENCE_LANE_FN V power_of_two_f64(const Int<V>& n) {
    return bits_as<V>((n + std::int64_t{1023}) << 52);
}

/// x = 2^exponent * mantissa with mantissa in [sqrt(1/2), sqrt(2)), for positive normals.
template <class V>
struct Split {
    V exponent;
    V mantissa;
};

template <class V>
REMANENCE_LANE_FN Split<V> split_f32(const V& x) {
    // Subtracting the bits of sqrt(1/2) turns the exponent field into the wanted exponent.
    const Int<V> shifted = bits_as<Int<V>>(x) - std::int32_t{0x3F3504F3};
    const Int<V> exponent = shifted >> 23;
    const Int<V> mantissa = (shifted & std::int32_t{0x007FFFFF}) + std::int32_t{0x3F3504F3};
    const V value = bits_as<V>(exponent + std::int32_t{0x4B400000}) - 0x1.8p23f;
    return {value, bits_as<V>(mantissa)};
}

template <class V>
REMANENCE_LANE_FN Split<V> split_f64(const V& x) {
    constexpr std::int64_t sqrt_half = 0x3FE6A09E667F3BCD;
    const Int<V> shifted = bits_as<Int<V>>(x) - sqrt_half;
    const Int<V> exponent = shifted >> 52;
    const Int<V> mantissa = (shifted & std::int64_t{0x000FFFFFFFFFFFFF}) + sqrt_half;
    const V value = bits_as<V>(exponent + std::int64_t{0x4338000000000000}) - 0x1.8p52;
    return {value, bits_as<V>(mantissa)};
}

/// c[0] + x*(c[1] + x*(...)), each step one multiplication and then one addition.
template <class V, class S, int n>
REMANENCE_LANE_FN V horner(const V& x, const S (&c)[n]) {
    V sum = splat<V>(c[n - 1]);
    for (int k = n - 2; k >= 0; --k) sum = sum * x + c[k];
    return sum;
}

/// 2^x for float lanes with -126 <= x <= 127; see canonical_exp2.
template <class V>
REMANENCE_LANE_FN V exp2_in_range(const V& x) {
    constexpr float c[] = {0x1p+0f,        0x1.62e430p-1f,  0x1.ebfbdcp-3f, 0x1.c6af7cp-5f,
                           0x1.3b2de0p-7f, 0x1.5f082ep-10f, 0x1.416b5ep-13f};
    const Rounded<V> n = round_f32(x);
    return horner(V(x - n.value), c) * power_of_two_f32<V>(n.index);
}

}  // namespace lanes

/// 2^x for float lanes; x is clamped to [-126, 127], NaN stays NaN, integers are exact.
/// Within 1.1 ulp. Relative minimax polynomial of degree 6 on [-1/2, 1/2] (error 2^-28.3).
template <class V>
REMANENCE_LANE_FN V canonical_exp2(const V& x) {
    const V low = lanes::splat<V>(-126.0f);
    const V high = lanes::splat<V>(127.0f);
    const V raised = lanes::select(x < low, low, x);
    return lanes::exp2_in_range(lanes::select(raised > high, high, raised));
}

/// log2(x) for float lanes; powers of two are exact. x must be a positive normal number (the
/// caller screens zero, negatives and NaN).
/// Within 1.4 ulp. log2(1 + t) = t + t R(t), R a minimax polynomial of degree 9 (error 2^-27).
template <class V>
REMANENCE_LANE_FN V canonical_log2(const V& x) {
    constexpr float c[] = {0x1.c551dap-2f, -0x1.715476p-1f, 0x1.ec7022p-2f, -0x1.7156c6p-2f,
                           0x1.278bb0p-2f, -0x1.eb6c08p-3f, 0x1.a21cf4p-3f, -0x1.818b8cp-3f,
                           0x1.7eb328p-3f, -0x1.dcc02ep-4f};
    const lanes::Split<V> s = lanes::split_f32(x);
    const V t = s.mantissa - 1.0f;
    return s.exponent + (t + t * lanes::horner(t, c));
}

namespace lanes {

inline constexpr double ln2_high = 0x1.62e42fefa3800p-1;  // 42 bits: n * ln2_high is exact
inline constexpr double ln2_low = 0x1.ef35793c76730p-45;  // ln 2 - ln2_high
inline constexpr double infinite = std::numeric_limits<double>::infinity();
inline constexpr double log2_e = 0x1.71547652b82fep+0;

/// (e^r - 1 - r) / r^2 for |r| <= ln(2)/2: the Taylor terms 1/2! ... 1/14!.
template <class V>
REMANENCE_LANE_FN V exp_tail(const V& r) {
    constexpr double c[] = {1.0 / 2,          1.0 / 6,        1.0 / 24,        1.0 / 120,
                            1.0 / 720,        1.0 / 5040,     1.0 / 40320,     1.0 / 362880,
                            1.0 / 3628800,    1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800,
                            1.0 / 87178291200};
    return horner(r, c);
}

/// ln(1 + f) for 1 + f in [sqrt(1/2), sqrt(2)]: 2 atanh(s) = f - s (f - R), s = f / (2 + f),
/// R = 2 s^2 (1/3 + s^2/5 + ... + s^22/25).
template <class V>
REMANENCE_LANE_FN V log_near_one(const V& f) {
    constexpr double c[] = {2.0 / 3,  2.0 / 5,  2.0 / 7,  2.0 / 9,  2.0 / 11, 2.0 / 13,
                            2.0 / 15, 2.0 / 17, 2.0 / 19, 2.0 / 21, 2.0 / 23, 2.0 / 25};
    const V s = f / (f + 2.0);
    const V z = s * s;
    return f - s * (f - z * horner(z, c));
}

}  // namespace lanes

/// e^x for double lanes, within 1 ulp. Below -708 the result is exactly 0 (so no subnormal
/// ever depends on a flush mode), above 709.78 it is infinity, NaN stays NaN.
template <class V>
REMANENCE_LANE_FN V canonical_exp(const V& x) {
    const V low = lanes::splat<V>(-708.0);
    const V high = lanes::splat<V>(709.782712893384);  // the largest x whose exp is finite
    V clamped = lanes::select(x < low, low, x);
    clamped = lanes::select(clamped > high, high, clamped);
    const lanes::Rounded<V> n = lanes::round_f64(clamped * lanes::log2_e);
    const V r = (clamped - n.value * lanes::ln2_high) - n.value * lanes::ln2_low;
    const V e = (r + r * r * lanes::exp_tail(r)) + 1.0;
    // In two halves, as 2^1024 is no double and 2^-1023 no normal one.
    const lanes::Int<V> half = n.index >> 1;
    const V y = e * lanes::power_of_two_f64<V>(half) * lanes::power_of_two_f64<V>(n.index - half);
    const V zero = lanes::splat<V>(0.0);
    return lanes::select(x < low, zero, lanes::select(x > high, x * 0x1p1023, y));
}

/// ln(x) for double lanes, within 1.3 ulp; 0 gives -infinity, x < 0 NaN, infinity infinity.
template <class V>
REMANENCE_LANE_FN V canonical_log(const V& x) {
    const V zero = lanes::splat<V>(0.0);
    const V infinity = lanes::splat<V>(lanes::infinite);
    const auto tiny = x < lanes::splat<V>(0x1p-1022);
    const V scaled = lanes::select(tiny, V(x * 0x1p54), x);
    const lanes::Split<V> s = lanes::split_f64(lanes::select(x > zero, scaled, V(zero + 1.0)));
    const V n = s.exponent - lanes::select(tiny, lanes::splat<V>(54.0), zero);
    const V y =
        n * lanes::ln2_high + (lanes::log_near_one(V(s.mantissa - 1.0)) + n * lanes::ln2_low);
    const V edge = lanes::select(x == zero, V(-infinity), V(infinity - infinity));
    const V finite = lanes::select(x < infinity, y, x);
    return lanes::select(x > zero, finite, edge);
}

/// e^x - 1 for double lanes without cancellation near 0, within 4 ulp.
template <class V>
REMANENCE_LANE_FN V canonical_expm1(const V& x) {
    const auto small = lanes::both(x > lanes::splat<V>(-0.34), x < lanes::splat<V>(0.34));
    const V r = lanes::select(small, x, lanes::splat<V>(0.0));
    return lanes::select(small, V(r + r * r * lanes::exp_tail(r)), V(canonical_exp(x) - 1.0));
}

/// ln(1 + x) for double lanes, x > -1, without cancellation near 0, within 4 ulp. The last term
/// gives back what rounding 1 + x lost.
template <class V>
REMANENCE_LANE_FN V canonical_log1p(const V& x) {
    const V u = x + 1.0;
    return canonical_log(u) + (x - (u - 1.0)) / u;
}

}  // namespace remanence
