package io.hammer2.lwkt;

/** Says who waits for what. */
final class WaitGraph {
    private WaitGraph() {}

    static String describe(Lwkt lwkt) {
        StringBuilder text = new StringBuilder();
        for (int id = 0; id < lwkt.cpuCount(); id++) {
            for (LwktThread thread : lwkt.cpu(id).loop.threads.snapshot()) {
                if (thread.state != LwktThread.State.STANDBY) {
                    describe(thread, text);
                }
            }
        }
        return text.toString();
    }

    private static void describe(LwktThread thread, StringBuilder text) {
        text.append("  ").append(thread).append(' ').append(thread.state.name().toLowerCase(java.util.Locale.ROOT));
        Object waitsFor = thread.waitsFor;
        if (waitsFor != null) {
            text.append(", waits for ").append(waitsFor);
        }
        if (!thread.gates.isEmpty()) {
            text.append(", holds ").append(thread.gates);
        }
        if (!thread.tokens.isEmpty()) {
            text.append(", has ").append(thread.tokens);
        }
        text.append('\n');
    }
}
