package io.hammer2.tools.stress;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;

/**
 * Several processes with several threads each at work on one mount. On a volume of its own the server is killed in each round
 * while they work: the volume must be clean then, and what they had synced must be there.
 */
public final class Stress implements AutoCloseable {
    private static final int CLIENTS = 3;
    private static final int WORKERS = 2;
    private static final int ANSWER_SECONDS_MAX = 300;

    private final Random random;
    private final List<Connection> clients = new ArrayList<>();

    /** A client process, and what it last said of itself. */
    private static final class Connection {
        private final Process process;
        private final Writer commands;
        private final BufferedReader answers;
        private long operations;
        private long kept;

        private Connection(Process process) {
            this.process = process;
            commands = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
            answers = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        }

        private void send(String command) throws IOException {
            commands.write(command + "\n");
            commands.flush();
        }

        private void awaitAnswer(String command) throws IOException {
            // A call that never returns cannot be interrupted, but its process can be ended, which ends this line.
            Thread watch = Thread.ofPlatform().daemon().start(() -> {
                try {
                    Thread.sleep(TimeUnit.SECONDS.toMillis(ANSWER_SECONDS_MAX));
                    process.destroyForcibly();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            });
            String answer = answers.readLine();
            watch.interrupt();
            if (answer == null) {
                throw new IOException("a client hangs or has ended, at " + command);
            }
            if (!answer.startsWith("ok ")) {
                throw new IOException("a client found something wrong, at " + command);
            }
            String[] words = answer.split(" ", -1);
            operations = Long.parseLong(words[1]);
            kept = Long.parseLong(words[2]);
        }
    }

    private Stress(Path root, long seed) throws IOException {
        random = new Random(seed);
        for (int i = 0; i < CLIENTS; i++) {
            clients.add(new Connection(new ProcessBuilder(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "--enable-native-access=ALL-UNNAMED",
                            "-XX:+UseSerialGC",
                            "-XX:TieredStopAtLevel=1",
                            "-Xmx512m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            Client.class.getName(),
                            root.toString(),
                            Integer.toString(i),
                            Integer.toString(WORKERS),
                            Long.toString(random.nextInt()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start()));
        }
    }

    private void all(String command) throws IOException {
        for (Connection client : clients) {
            client.send(command);
        }
        for (Connection client : clients) {
            client.awaitAnswer(command);
        }
    }

    private void work(long millis) throws IOException {
        all("run");
        pause(millis);
    }

    private String summary(int kills) {
        long operations =
                clients.stream().mapToLong(client -> client.operations).sum();
        long kept = clients.stream().mapToLong(client -> client.kept).sum();
        return operations + " operations by " + CLIENTS * WORKERS + " threads of " + CLIENTS + " processes"
                + (kills == 0 ? "" : ", " + kills + " kills, after which " + kept + " synced files were whole");
    }

    @Override
    public void close() {
        clients.forEach(client -> client.process.destroyForcibly());
    }

    /** Works in a directory of any file system, and kills nothing. */
    private static String inDirectory(long seed, long seconds, Path directory) throws IOException {
        Path root = Files.createTempDirectory(directory, "stress");
        try (Stress stress = new Stress(root, seed)) {
            stress.all("start");
            stress.work(seconds * 1000);
            stress.all("stop");
            stress.all("verify");
            return stress.summary(0);
        }
    }

    /**
     * Works on a volume of its own.
     *
     * @param kills of the server, each in a round of its own; the last round ends with an unmount
     * @param options more mount options, may be empty
     * @return what was done
     * @throws IOException with what was wrong
     */
    public static String onVolume(long seed, long seconds, int kills, String options) throws IOException {
        try (Scratch scratch = Scratch.make(16L << 30)) {
            scratch.mount(options);
            try (Stress stress = new Stress(scratch.root(), seed)) {
                stress.all("start");
                for (int i = 0; i < kills; i++) {
                    long millis = seconds * 1000 / (kills + 1);
                    stress.work(millis / 2 + stress.random.nextInt((int) millis + 1));
                    stress.all("dying");
                    scratch.kill();
                    stress.all("stop");
                    scratch.check();
                    scratch.mount(options);
                    stress.all("recover");
                }
                stress.work(seconds * 1000 / (kills + 1));
                stress.all("stop");
                stress.all("verify");
                scratch.unmount();
                scratch.check();
                scratch.mount(options);
                stress.all("verify");
                scratch.unmount();
                return stress.summary(kills);
            } catch (IOException e) {
                throw new IOException(e.getMessage() + "\nlog of the mount: " + scratch.log(), e);
            }
        }
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Arguments: seed, seconds, and a directory unless it shall make, mount and kill a volume. */
    public static void main(String[] arguments) throws IOException {
        long seed = Long.parseLong(arguments[0]);
        long seconds = Long.parseLong(arguments[1]);
        System.out.println("seed " + seed + ", about " + seconds + " seconds");
        try {
            int kills = Math.clamp(seconds / 10, 2, 20);
            System.out.println("as expected: "
                    + (arguments.length > 2
                            ? inDirectory(seed, seconds, Path.of(arguments[2]))
                            : onVolume(seed, seconds, kills, "")));
        } catch (IOException e) {
            System.out.println("FAILED: " + e.getMessage());
            System.exit(1);
        }
    }
}
