// Asking the words of arcs. Included by kernels.inl.

/// Whether some word's columns must be asked.
bool ask_gate(const std::uint32_t* words, std::size_t count, const GateTest& test,
              std::uint8_t* answers) {
    const GateTest asked = test;
    std::uint32_t any = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint32_t answer = asked.ask(words[i]);
        answers[i] = static_cast<std::uint8_t>(answer);
        any |= answer;
    }
    return (any & 2U) != 0;
}
