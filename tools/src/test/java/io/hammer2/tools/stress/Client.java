package io.hammer2.tools.stress;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * A process with several workers. It is told what to do by lines on standard input and answers each with a line: {@code ok} and
 * two numbers, operations so far and synced files found whole after crashes, or {@code FAILED}, the reason being on standard
 * error.
 *
 * <p>{@code start} makes the workers' directories, {@code run} lets them work until {@code stop}; {@code dying} announces that
 * the server may die at any time, after which nothing that fails matters, until {@code recover}. {@code verify} compares all.
 */
final class Client {
    private final List<Worker> workers = new ArrayList<>();
    private final List<Thread> threads = new ArrayList<>();
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final AtomicBoolean dying = new AtomicBoolean();
    private final AtomicReference<String> failure = new AtomicReference<>();

    /** Arguments: mount point, name, number of workers, seed. */
    public static void main(String[] arguments) throws IOException {
        Client client = new Client();
        for (int i = 0; i < Integer.parseInt(arguments[2]); i++) {
            String name = arguments[1] + "-" + i;
            client.workers.add(new Worker(Path.of(arguments[0]), name, Long.parseLong(arguments[3]) * 100 + i));
        }
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String command = commands.readLine(); command != null; command = commands.readLine()) {
            System.out.println(client.obey(command));
        }
    }

    private String obey(String command) {
        switch (command) {
            case "start" -> each(Worker::start);
            case "run" -> run();
            case "dying" -> dying.set(true);
            case "stop" -> stop();
            case "recover" -> {
                dying.set(false);
                each(Worker::recover);
            }
            case "verify" -> each(Worker::verifyAll);
            default -> failure.compareAndSet(null, "no such command: " + command);
        }
        String why = failure.get();
        if (why != null) {
            System.err.println(why);
            return "FAILED";
        }
        long operations = 0;
        long kept = 0;
        for (Worker worker : workers) {
            operations += worker.operations();
            kept += worker.kept();
        }
        return "ok " + operations + " " + kept;
    }

    private void run() {
        stopping.set(false);
        for (Worker worker : workers) {
            Thread thread = new Thread(() -> guarded(worker, this::work));
            thread.start();
            threads.add(thread);
        }
    }

    private void work(Worker worker) {
        while (!stopping.get()) {
            worker.step();
        }
    }

    private void stop() {
        stopping.set(true);
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        threads.clear();
    }

    private void each(Consumer<Worker> what) {
        workers.forEach(worker -> guarded(worker, what));
    }

    private void guarded(Worker worker, Consumer<Worker> what) {
        try {
            what.accept(worker);
        } catch (RuntimeException | Error e) {
            if (dying.get() && e instanceof RuntimeException) {
                return;
            }
            // The others would only bury it.
            stopping.set(true);
            failure.compareAndSet(null, e + "\n" + worker.history());
        }
    }
}
