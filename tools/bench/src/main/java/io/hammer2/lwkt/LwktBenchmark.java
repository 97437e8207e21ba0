package io.hammer2.lwkt;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The primitives of the runtime. Each invocation has an LWKT thread do many operations, so that getting onto the cpu and back, some
 * tens of microseconds, does not count. The name of a figure is that of its method, with hyphens.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(3)
public class LwktBenchmark {
    private static final int MANY = 100_000;
    private static final int SOME = 10_000;
    private static final int FEW = 200;

    private Lwkt lwkt;

    @Setup(Level.Trial)
    public void open() {
        lwkt = Lwkt.dedicated(2);
    }

    @TearDown(Level.Trial)
    public void close() {
        lwkt.close();
    }

    /** Two threads of one cpu yield to each other: one switch is one yield. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void same_cpu_switch() throws Exception {
        lwkt.run(0, () -> {
            Message<Void> otherEnded = new Message<>();
            Cpu.current().spawn("other", () -> {
                yieldTimes(MANY / 2);
                otherEnded.reply(null);
            });
            yieldTimes(MANY / 2);
            return otherEnded.await();
        });
    }

    private static void yieldTimes(int times) {
        for (int i = 0; i < times; i++) {
            LwktThread.yieldNow();
        }
    }

    /** A message is made, sent to a port of its own cpu, taken from the queue by the loop, handled to completion and answered. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void same_cpu_dispatch() throws Exception {
        lwkt.run(0, () -> {
            Message<Void> ended = new Message<>();
            CountDown countDown = new CountDown(Cpu.current(), ended);
            countDown.left = MANY;
            countDown.port.send(new Message<Void>());
            return ended.await();
        });
    }

    /** A port whose handler answers and sends the next message. */
    private static final class CountDown {
        final Port port;
        int left;

        CountDown(Cpu cpu, Message<Void> ended) {
            port = Port.onCpu(cpu, "count", message -> {
                message.reply(null);
                if (--left > 0) {
                    sendNext();
                } else {
                    ended.reply(null);
                }
            });
        }

        private void sendNext() {
            port.send(new Message<Void>());
        }
    }

    /** A task is posted by its predecessor and run to completion: the queue and the loop alone. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void same_cpu_post() throws Exception {
        lwkt.run(0, () -> {
            Message<Void> ended = new Message<>();
            Cpu cpu = Cpu.current();
            cpu.post(new Runnable() {
                private int left = MANY;

                @Override
                public void run() {
                    if (--left > 0) {
                        cpu.post(this);
                    } else {
                        ended.reply(null);
                    }
                }
            });
            return ended.await();
        });
    }

    /** A call to a port of the caller's own cpu, which is a direct call. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void same_cpu_call() throws Exception {
        lwkt.run(0, () -> {
            Port port = Port.onCpu(Cpu.current(), "echo", message -> message.reply(null));
            for (int i = 0; i < MANY; i++) {
                port.call(new Message<Void>());
            }
            return null;
        });
    }

    /** A message to the other cpu, which is awake, and its reply. */
    @Benchmark
    @OperationsPerInvocation(SOME)
    public void cross_cpu_roundtrip_busy() throws Exception {
        roundTrips(SOME);
    }

    /** The same with both cpus going to sleep as soon as they have nothing to do: two wake-ups by the operating system. */
    @Benchmark
    @OperationsPerInvocation(FEW)
    @Fork(
            value = 3,
            jvmArgsAppend = {"-Dio.hammer2.lwkt.spinNanos=0", "-Dio.hammer2.lwkt.lingerSpins=0"})
    public void cross_cpu_roundtrip_idle() throws Exception {
        roundTrips(FEW);
    }

    private void roundTrips(int times) throws Exception {
        Port port = Port.onCpu(lwkt.cpu(1), "echo", message -> message.reply(null));
        lwkt.run(0, () -> {
            for (int i = 0; i < times; i++) {
                port.call(new Message<Void>());
            }
            return null;
        });
    }

    /** One token taken and released, nobody else wants it. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void token_uncontended() throws Exception {
        Token token = new Token("bench");
        lwkt.run(0, () -> {
            takeAndRelease(token, MANY);
            return null;
        });
    }

    /** One token taken and released by one cpu while the other does the same all the time. */
    @Benchmark
    @OperationsPerInvocation(2 * SOME)
    public void token_contended() throws Exception {
        Token token = new Token("bench");
        lwkt.run(0, () -> {
            Message<Void> otherEnded = new Message<>();
            lwkt.cpu(1).post(() -> {
                takeAndRelease(token, SOME);
                otherEnded.reply(null);
            });
            takeAndRelease(token, SOME);
            return otherEnded.await();
        });
    }

    private static void takeAndRelease(Token token, int times) {
        for (int i = 0; i < times; i++) {
            token.acquire();
            token.release();
        }
    }

    /** One gate locked exclusively and unlocked, nobody else wants it. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void gate_uncontended() throws Exception {
        Gate gate = new Gate(1);
        lwkt.run(0, () -> {
            for (int i = 0; i < MANY; i++) {
                gate.lockExclusive();
                gate.unlockExclusive();
            }
            return null;
        });
    }

    /** The same, shared. */
    @Benchmark
    @OperationsPerInvocation(MANY)
    public void gate_shared_uncontended() throws Exception {
        Gate gate = new Gate(1);
        lwkt.run(0, () -> {
            for (int i = 0; i < MANY; i++) {
                gate.lockShared();
                gate.unlockShared();
            }
            return null;
        });
    }
}
