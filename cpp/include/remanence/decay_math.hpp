// The arithmetic under the decay laws: elapsed time, and the twelve traces of PowerTrace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "remanence/canonical.hpp"
#include "remanence/error.hpp"
#include "remanence/export.hpp"
#include "remanence/types.hpp"

namespace remanence {

/// max(0, to - from) in ns; the difference of any two times fits.
REMANENCE_LANE_FN std::uint64_t elapsed_ns(TimeNs from, TimeNs to) {
    return to <= from ? 0 : static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from);
}

/// Seconds from `from` to `to`, at least 0: subtracted as integers, then converted.
REMANENCE_LANE_FN double elapsed_s(TimeNs from, TimeNs to) {
    return static_cast<double>(elapsed_ns(from, to)) * 1e-9;
}

/// x^y for x > 0 out of the canonical exp and log.
REMANENCE_LANE_FN double canonical_pow(double x, double y) {
    return canonical_exp(y * canonical_log(x));
}

inline constexpr std::size_t power_trace_size = 12;

/// Twelve constants that host and device code may index alike.
struct PowerTraceTable {
    double value[power_trace_size];
    REMANENCE_HD constexpr double operator[](std::size_t k) const { return value[k]; }
};

/// Time constants in seconds: a geometric grid that all exponents share, so that d can change
/// without touching the stored traces.
inline constexpr PowerTraceTable power_trace_taus_s = {
    {1.30195052, 9.17950407, 64.7208123, 456.319155, 3217.31394, 22683.9239, 159934.782, 1127632.7,
     7950462.68, 56055359.7, 395222704.0, 2786548620.0}};

/// Ages above this many seconds (31.7 years) count as this; the error bound ends here.
inline constexpr float power_trace_most_age_s = 1e9F;

/// Activation in nats of a memory that was never accessed: ln 2^-100, under any that was, and
/// finite so that weight 0 times it is 0.
inline constexpr double least_activation = -69.314718055994530942;

/// Row of the fitted tables for exponent d. Throws InvalidArgument off the grid 0.05, ..., 1.00.
inline int power_trace_row(double d) {
    const double step = d * 20.0;
    const double near = lanes::round_f64(step >= 0.5 && step <= 20.5 ? step : 0.0).value;
    const double off = step - near;
    if (near < 1.0 || off > 1e-9 || off < -1e-9) {
        throw InvalidArgument("decay: d of PowerTrace must be a multiple of 0.05 (got " +
                              std::to_string(d) + ", want 0.05, 0.10, ..., 1.00)");
    }
    return static_cast<int>(near) - 1;
}

/// Weights [12] >= 0 with sum_k w_k exp(-t/tau_k) ~ (1 + t/1s)^-d for 0 <= t <= 1e9 s.
/// Source: linear-programming minimax fit of the relative error (fit of this project, after the
/// exponential sums of Beylkin & Monzon 2005, Appl. Comput. Harmon. Anal. 19:17).
inline const double (&power_trace_weights(double d)) [power_trace_size] {
    static constexpr double weights[20][power_trace_size] = {
        {// d = 0.05
         0.03300954176352306, 0.08005869847905472, 0.07086534140388077, 0.06605975736535195,
         0.060531788620281864, 0.05207467543417342, 0.060581481707625874, 0.017283089643567347, 0.0,
         0.0, 0.0, 0.4547675441188536},
        {// d = 0.10
         0.07325786031691668, 0.15069745806918133, 0.12325067075579689, 0.10404054867288773,
         0.08637376841063989, 0.0676535184193558, 0.07040449556003255, 0.006853227835644813,
         0.083573913108141, 0.0, 0.0, 0.16844430739338714},
        {// d = 0.15
         0.13089134665667665, 0.19086702876431533, 0.181730270691265, 0.05128047049567133,
         0.15883746395159778, 0.020662145002303907, 0.08873061755015803, 0.012820856150579273,
         0.04515451350668297, 0.018479247168743596, 0.0, 0.06145181347068792},
        {// d = 0.20
         0.11507143701358237, 0.32372058374808393, 0.12549590973227767, 0.16440891957060721,
         0.05837308162303582, 0.07545010872111042, 0.026691348878212274, 0.034661817480587505,
         0.011870472237400061, 0.01695038412579947, 0.0007863368550583603, 0.02204602254654267},
        {// d = 0.25
         0.17194978302103886, 0.33920468684162813, 0.14739486738018043, 0.1419703368257552,
         0.05636334169294837, 0.05359342225316713, 0.021205229166467658, 0.02024541671100676,
         0.007831377459449984, 0.008013296987399105, 0.001428599136624956, 0.007702222670214514},
        {// d = 0.30
         0.22705325815068034, 0.3484140630950478, 0.15673776407701417, 0.12003635159178266,
         0.04930263160105975, 0.03726489208996568, 0.015262913358699583, 0.011576809682087574,
         0.004662368282172532, 0.0037259843430035053, 0.0009450759723643856, 0.0026850720265949976},
        {// d = 0.35
         0.27996458597427076, 0.35216027616877216, 0.15715236054022544, 0.09982719085860696,
         0.04066147061513154, 0.02549628758886935, 0.010355758639002323, 0.006510599682229266,
         0.002612450238928341, 0.0017097130539379137, 0.000501359301427053, 0.0009339896083261848},
        {// d = 0.40
         0.33009578570362036, 0.35156494014000955, 0.15138493311524778, 0.08197461711297442,
         0.032213210765673954, 0.01722424270518575, 0.006751084911212628, 0.003615568702094428,
         0.001404984392606868, 0.0007756955941155664, 0.00024066573455699595,
         0.0003241202884966467},
        {// d = 0.45
         0.3774798033922695, 0.3471582741436715, 0.1416951110097142, 0.06659995819415104,
         0.02480333714252832, 0.011507595229498511, 0.004276696428523384, 0.0019869205962124944,
         0.0007334143135119156, 0.0003488140802270062, 0.0001089441693890721,
         0.00011221983508500053},
        {// d = 0.50
         0.42194403734694774, 0.33963442849783676, 0.1297965261689834, 0.05359107023720023,
         0.018691574611968315, 0.007617611202949727, 0.002651285236423375, 0.0010813450109714566,
         0.00037465492490412994, 0.00015548690613803137, 4.749519509418256e-05,
         3.875536094232257e-05},
        {// d = 0.55
         0.46375196422909526, 0.3292975397648727, 0.11698055556701889, 0.042742895369809145,
         0.01385469490870534, 0.004999033869503021, 0.0016165328608606488, 0.0005834081977269954,
         0.0001881319555860161, 6.878535702356635e-05, 2.015174632950566e-05,
         1.3350452579910086e-05},
        {// d = 0.60
         0.5027812658065357, 0.3168748900319519, 0.10399347253642888, 0.033832263290982864,
         0.010132074682253408, 0.0032538018958262445, 0.0009726413286981205, 0.0003123929581112517,
         9.317139091482164e-05, 3.020699082829341e-05, 8.380276658481519e-06,
         4.5862328945009915e-06},
        {// d = 0.65
         0.5391616829208666, 0.3027466716159804, 0.09140496083803429, 0.026591670909755834,
         0.007326876272145339, 0.0021032767825273544, 0.00057855861611613, 0.00016612554964185448,
         4.5622893218020244e-05, 1.3179583286549222e-05, 3.4309869630254746e-06,
         1.57074613188951e-06},
        {// d = 0.70
         0.5731616928458272, 0.2871842370465553, 0.07965891862785845, 0.020749025558290085,
         0.005251024242368037, 0.0013508307482402399, 0.0003410191400778971, 8.769568835796845e-05,
         2.2133465474808447e-05, 5.71668595541397e-06, 1.3866290777612231e-06,
         5.363496443634556e-07},
        {// d = 0.75
         0.6063370086025244, 0.2711198411098147, 0.0687855861496642, 0.01611050857621811,
         0.0037309818322672555, 0.0008622085496186901, 0.0001993387997446402, 4.606704019711802e-05,
         1.064610547696131e-05, 2.4628931234475797e-06, 5.553623154958256e-07,
         1.8237114657626128e-07},
        {// d = 0.80
         0.6310675406369229, 0.2553491308378201, 0.05877762326101161, 0.012485292776154164,
         0.0026219292849841975, 0.0005498156190384034, 0.00011524300845812514,
         2.415511219789857e-05, 5.0636971425783205e-06, 1.0616256652822542e-06,
         2.1954636590074638e-07, 6.177781106586376e-08},
        {// d = 0.85
         0.6551473775764018, 0.23799674735387222, 0.05019588979181341, 0.009572729334836747,
         0.001842645451670102, 0.00034664834712821893, 6.658490324154967e-05,
         1.2533648363909016e-05, 2.40674121948208e-06, 4.535347783351731e-07, 8.603328694928392e-08,
         2.0805660678833795e-08},
        {// d = 0.90
         0.6767001604066823, 0.22058710853652175, 0.04265662056571128, 0.0072974226676216026,
         0.0012874271144236538, 0.0002174423720340241, 3.830117935602021e-05, 6.461774257818034e-06,
         1.1397000804730873e-06, 1.9061461537550175e-07, 3.495385888628449e-08,
         6.804529367276543e-09},
        {// d = 0.95
         0.6958644395257032, 0.20332157589494868, 0.03608453748094977, 0.005534832152487859,
         0.0008958805041496984, 0.00013560797489218908, 2.1914065160101365e-05,
         3.316816691973307e-06, 5.3679295968179e-07, 8.024957475487715e-08, 1.3760172996101016e-08,
         2.231523942240872e-09},
        {// d = 1.00
         0.7124493973138117, 0.1865530398988682, 0.030394147963522716, 0.004175379943361283,
         0.000620841026594758, 8.419248973557724e-05, 1.249134963245066e-05, 1.6927011845532317e-06,
         2.517184864174645e-07, 3.364894407542889e-08, 5.392374994893449e-09,
         7.227734349027549e-10},
    };
    return weights[power_trace_row(d)];
}

/// Nats by which PowerTrace may miss the power law's activation, whatever the history:
/// -ln(1 - e), e the kernel's greatest relative error (a ratio of positive sums lies within it).
/// e was measured at 4 million ages, geometric from 1 ns to 1e9 s and 0, and rounded up.
inline double power_trace_error(double d) {
    constexpr double relative[20] = {0.104782, 0.065459, 0.039139, 0.024504, 0.023115,
                                     0.022378, 0.022168, 0.022501, 0.023253, 0.024435,
                                     0.025965, 0.027804, 0.029962, 0.032310, 0.035069,
                                     0.039109, 0.044988, 0.051382, 0.058358, 0.065935};
    return -canonical_log1p(-relative[power_trace_row(d)]);
}

/// What a float32 kernel needs of one exponent: w_k and -log2(e)/tau_k.
struct PowerTraceConstants {
    float weight[power_trace_size];
    float rate[power_trace_size];
};

/// Throws InvalidArgument off the grid 0.05, ..., 1.00.
inline PowerTraceConstants power_trace_constants(double d) {
    PowerTraceConstants constants{};
    const double (&weights)[power_trace_size] = power_trace_weights(d);
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        constants.weight[k] = static_cast<float>(weights[k]);
        constants.rate[k] = static_cast<float>(-lanes::log2_e / power_trace_taus_s[k]);
    }
    return constants;
}

/// Age in seconds for the float32 kernels, in [0, 1e9].
REMANENCE_LANE_FN float power_trace_age_s(TimeNs last_access, TimeNs now) {
    const float age_s = static_cast<float>(elapsed_ns(last_access, now)) * 1e-9F;
    return age_s < power_trace_most_age_s ? age_s : power_trace_most_age_s;
}

/// Activation in nats in canonical float32, the bits that recall ranks by: ln of
/// sum_k w_k E_k 2^(rate_k age), added in the order of k.
/// V is float or a lane type; trace [12], age_s in [0, 1e9]. No access gives least_activation.
template <class V>
REMANENCE_LANE_FN V power_trace_activation(const V (&trace)[power_trace_size], const V& age_s,
                                           const PowerTraceConstants& constants) {
    V sum = lanes::splat<V>(0.0F);
    const V least = lanes::splat<V>(0x1p-100F);
    const V low = lanes::splat<V>(-100.0F);  // keeps every product clear of subnormals
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        const V x = age_s * constants.rate[k];
        const V decay = lanes::exp2_in_range(lanes::select(x < low, low, x));
        sum = sum + trace[k] * constants.weight[k] * decay;
    }
    sum = lanes::select(sum < least, least, sum);
    return canonical_log2(sum) * 0x1.62e430p-1F;
}

/// The same for one memory: trace [12] as it stood at `last_access`.
REMANENCE_LANE_FN float power_trace_activation(const float* trace, TimeNs last_access, TimeNs now,
                                               const PowerTraceConstants& constants) {
    float lanes[power_trace_size];
    for (std::size_t k = 0; k < power_trace_size; ++k) lanes[k] = trace[k];
    return power_trace_activation(lanes, power_trace_age_s(last_access, now), constants);
}

/// Activation in nats in float64, from float or double traces [12] and weights [12].
template <class T>
REMANENCE_HD inline double power_trace_activation_f64(const T* trace, TimeNs last_access,
                                                      TimeNs now, const double* weights) {
    constexpr PowerTraceTable taus_s = power_trace_taus_s;
    const double elapsed = elapsed_s(last_access, now);
    const double age_s = elapsed < 1e9 ? elapsed : 1e9;
    double sum = 0.0;
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        const double decay = canonical_exp(-age_s / taus_s[k]);
        sum += weights[k] * static_cast<double>(trace[k]) * decay;
    }
    return sum < 0x1p-100 ? least_activation : canonical_log(sum);
}

/// Records an access of `weight` >= 0 at time t in the traces [12] (float or double), in place.
/// A late access (t before `last_access`) is added exactly, so the order of events is free up to
/// rounding. Traces of zeros mean "never accessed". Computed in float64, stored in T.
template <class T>
REMANENCE_HD inline void power_trace_add(T* trace, TimeNs& last_access, TimeNs t, double weight) {
    constexpr PowerTraceTable taus_s = power_trace_taus_s;
    if (!(weight > 0.0)) return;
    const bool never = !(trace[power_trace_size - 1] > T{0});
    const bool late = !never && t < last_access;
    const double gap_s = late ? elapsed_s(t, last_access) : elapsed_s(last_access, t);
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        const double decay = canonical_exp(-gap_s / taus_s[k]);
        const double held = never ? 0.0 : static_cast<double>(trace[k]);
        trace[k] = static_cast<T>(late ? held + weight * decay : held * decay + weight);
    }
    if (!late) last_access = t;
}

/// Adds the history of a second memory to the first, in place: both decay to the later access and
/// are added. Commutative and associative up to rounding.
template <class T>
REMANENCE_HD inline void power_trace_merge(T* trace, TimeNs& last_access, const T* other,
                                           TimeNs other_last_access) {
    constexpr PowerTraceTable taus_s = power_trace_taus_s;
    if (!(other[power_trace_size - 1] > T{0})) return;
    const bool never = !(trace[power_trace_size - 1] > T{0});
    const TimeNs latest =
        never || last_access < other_last_access ? other_last_access : last_access;
    const double gap_s = never ? 0.0 : elapsed_s(last_access, latest);
    const double other_gap_s = elapsed_s(other_last_access, latest);
    for (std::size_t k = 0; k < power_trace_size; ++k) {
        const double mine = static_cast<double>(trace[k]) * canonical_exp(-gap_s / taus_s[k]);
        const double theirs =
            static_cast<double>(other[k]) * canonical_exp(-other_gap_s / taus_s[k]);
        trace[k] = static_cast<T>(mine + theirs);
    }
    last_access = latest;
}

}  // namespace remanence
