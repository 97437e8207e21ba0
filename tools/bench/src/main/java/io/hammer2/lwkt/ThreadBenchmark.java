package io.hammer2.lwkt;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import jdk.internal.vm.Continuation;
import jdk.internal.vm.ContinuationScope;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** What the runtime is measured against: switches by the JDK and by the operating system, each between two parties on one processor. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 3,
        jvmArgsAppend = {"-Djdk.virtualThreadScheduler.parallelism=1", "-Djdk.virtualThreadScheduler.maxPoolSize=1"})
public class ThreadBenchmark {
    private static final ContinuationScope SCOPE = new ContinuationScope("bench");
    private static final int SOME = 10_000;
    private static final int FEW = 1_000;

    /** Two virtual threads on one carrier yield to each other. */
    @Benchmark
    @OperationsPerInvocation(SOME)
    @SuppressWarnings("ThreadPriorityCheck") // the yield is what is measured
    public void virtual_thread_yield() throws Exception {
        Runnable yielder = () -> {
            for (int i = 0; i < SOME / 2; i++) {
                Thread.yield();
            }
        };
        Thread other = Thread.ofVirtual().unstarted(yielder);
        Thread one = Thread.startVirtualThread(() -> {
            other.start();
            yielder.run();
        });
        one.join();
        other.join();
    }

    /** Two virtual threads on one carrier hand a baton to each other: one operation is one unpark and one park. */
    @Benchmark
    @OperationsPerInvocation(SOME)
    public void virtual_thread_park() throws Exception {
        new Baton(SOME / 2, false, body -> Thread.ofVirtual().unstarted(body)).run();
    }

    /** Two bare continuations yield to the loop that runs them: the floor below {@code same-cpu-switch}. */
    @Benchmark
    @OperationsPerInvocation(SOME)
    public void continuation_switch() {
        Continuation one = yieldingContinuation();
        Continuation other = yieldingContinuation();
        while (!one.isDone()) {
            one.run();
            other.run();
        }
    }

    private static Continuation yieldingContinuation() {
        return new Continuation(SCOPE, () -> {
            for (int i = 0; i < SOME / 2; i++) {
                Continuation.yield(SCOPE);
            }
        });
    }

    /** Two platform threads on one processor hand a baton to each other. */
    @Benchmark
    @OperationsPerInvocation(FEW)
    public void platform_thread_handoff() throws Exception {
        new Baton(FEW / 2, true, body -> Thread.ofPlatform().unstarted(body)).run();
    }

    private interface Maker {
        Thread make(Runnable body);
    }

    /** Two threads of which one has the baton and the other is parked. */
    private static final class Baton {
        private final Thread[] threads = new Thread[2];
        private volatile int holder;

        Baton(int rounds, boolean pinned, Maker maker) {
            for (int self = 0; self < 2; self++) {
                int me = self;
                threads[me] = maker.make(() -> {
                    if (pinned) {
                        Affinity.pinToNth(0);
                    }
                    for (int i = 0; i < rounds; i++) {
                        while (holder != me) {
                            LockSupport.park(this);
                        }
                        holder = 1 - me;
                        LockSupport.unpark(threads[1 - me]);
                    }
                });
            }
        }

        void run() throws InterruptedException {
            for (Thread thread : threads) {
                thread.start();
            }
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    /** A child process that sends back what it gets through a pipe; it inherits the processor of the thread that starts it. */
    @State(Scope.Thread)
    public static class Echo {
        private Process process;
        private OutputStream to;
        private InputStream from;

        @Setup
        public void start() throws IOException {
            Affinity.pinToNth(0);
            process = new ProcessBuilder("cat").start();
            to = process.getOutputStream();
            from = process.getInputStream();
        }

        @TearDown
        public void stop() {
            process.destroy();
        }

        void roundTrip() throws IOException {
            to.write(1);
            to.flush();
            if (from.read() != 1) {
                throw new IOException("the echo is gone");
            }
        }
    }

    /** A byte goes to the child and back: two process switches, of which one is reported. */
    @Benchmark
    @OperationsPerInvocation(2)
    public void process_switch(Echo echo) throws IOException {
        echo.roundTrip();
    }
}
