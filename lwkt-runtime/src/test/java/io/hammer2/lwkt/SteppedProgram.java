package io.hammer2.lwkt;

import java.util.Random;

/**
 * A random program for the stepped world that uses everything that blocks, and knows what has to come out. {@link #main} runs any
 * number of seeds, for {@code scripts/sim lwkt}.
 */
final class SteppedProgram {
    private static final int CPUS_MAX = 4;
    private static final int THREADS_MAX = 6;
    private static final int STEPS = 6;

    private final long seed;
    private final Random random;
    private final Token[] tokens = {new Token("a"), new Token("b"), new Token("c")};
    private final Gate[] gates = {new Gate(1), new Gate(2), new Gate(3)};
    private final int[] underToken = new int[tokens.length];
    private final int[] underGate = new int[gates.length];
    private final int[] insideGate = new int[gates.length];
    private int tokenRounds;
    private int gateRounds;
    private int ended;

    private SteppedProgram(long seed) {
        this.seed = seed;
        random = new Random(seed);
    }

    /** Runs the program of a seed. @return the hash of its trace */
    static long run(long seed) throws Exception {
        return run(seed, Stack.Mechanism.choose());
    }

    static long run(long seed, Stack.Mechanism mechanism) throws Exception {
        return new SteppedProgram(seed).run(mechanism);
    }

    /** Arguments: first seed, how many. Prints a hash of all traces. */
    public static void main(String[] args) throws Exception {
        long first = Long.parseLong(args[0]);
        long count = Long.parseLong(args[1]);
        long hash = 0;
        for (long seed = first; seed < first + count; seed++) {
            try {
                hash = hash * 31 + run(seed);
            } catch (Exception | AssertionError e) {
                System.out.println("seed " + seed + " failed");
                throw e;
            }
        }
        System.out.printf(
                "seeds %d to %d: no deadlock, nothing lost, trace hash %016x%n", first, first + count - 1, hash);
    }

    private long run(Stack.Mechanism mechanism) throws Exception {
        int cpus = 1 + random.nextInt(CPUS_MAX);
        int threads = 2 + random.nextInt(THREADS_MAX - 1);
        try (Lwkt lwkt = Lwkt.stepped(cpus, seed, mechanism)) {
            Port port = Port.onCpu(lwkt.cpu(cpus - 1), "echo", this::onMessage);
            for (int t = 0; t < threads; t++) {
                // Its choices are its own, so that they do not depend on the interleaving.
                Random choices = new Random(random.nextLong());
                lwkt.cpu(random.nextInt(cpus)).spawn("t" + t, () -> live(lwkt, port, choices));
            }
            lwkt.run(0, () -> {
                while (ended < threads) {
                    LwktThread.sleep(10_000);
                }
                return null;
            });
            check(sum(underToken) == tokenRounds, "a token lost an update");
            check(sum(underGate) == gateRounds, "a gate lost an update");
            return lwkt.traceHash();
        }
    }

    private void live(Lwkt lwkt, Port port, Random choices) {
        for (int i = 0; i < STEPS; i++) {
            switch (choices.nextInt(7)) {
                case 0 -> useTokens(choices.nextInt(tokens.length), choices.nextInt(tokens.length));
                case 1 -> useGates(choices.nextInt(gates.length), choices.nextInt(gates.length), choices.nextBoolean());
                case 2 -> port.call(new Message<Void>());
                case 3 -> LwktThread.sleep(choices.nextInt(5_000));
                case 4 -> LwktThread.yieldNow();
                case 5 -> sleepOnAddress(lwkt);
                default -> lwkt.cpu(choices.nextInt(lwkt.cpuCount())).call(() -> null);
            }
        }
        // Between cpus: an increment of an int is one step here, cpus interleave only where the runtime says.
        ended++;
    }

    private void onMessage(Message<?> message) {
        LwktThread.yieldNow();
        message.reply(null);
    }

    /** In any order: tokens cannot deadlock. */
    private void useTokens(int first, int second) {
        tokens[first].acquire();
        tokens[second].acquire();
        int before = underToken[second];
        Cpu.current().interleave(); // the other cpus may go first, but not in here
        underToken[second] = before + 1;
        tokenRounds++;
        tokens[second].release();
        LwktThread.yieldNow(); // with the first one held: given up meanwhile
        tokens[first].release();
    }

    /** In order of their numbers. */
    private void useGates(int one, int other, boolean exclusive) {
        int low = Math.min(one, other);
        int high = Math.max(one, other);
        if (exclusive) {
            gates[low].lockExclusive();
            check(insideGate[low]++ == 0, "two mutators inside");
            int before = underGate[low];
            if (high > low) {
                gates[high].lockShared();
                LwktThread.yieldNow(); // kept meanwhile
                gates[high].unlockShared();
            }
            underGate[low] = before + 1;
            gateRounds++;
            insideGate[low]--;
            gates[low].unlockExclusive();
        } else {
            gates[low].lockShared();
            int before = underGate[low];
            LwktThread.sleep(100);
            check(before == underGate[low], "changed under a reader");
            gates[low].unlockShared();
        }
    }

    private void sleepOnAddress(Lwkt lwkt) {
        lwkt.wakeup(this);
        LwktThread.sleepOn(this, "a turn", 3_000);
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("seed " + seed + ": " + what);
        }
    }

    private static int sum(int[] counts) {
        int sum = 0;
        for (int count : counts) {
            sum += count;
        }
        return sum;
    }
}
