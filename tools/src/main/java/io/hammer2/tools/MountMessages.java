package io.hammer2.tools;

import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What is said on a {@link MountSocket}. The question: a length (4 bytes, big-endian), then fields of UTF-8, each ended by a zero byte.
 * The answer: lines of UTF-8, a word and a text.
 *
 * <pre>
 *   question   "hammer2-mount-1"  namespace  f|b  special  =label|-  node  option...       (f: stays in the foreground; -: no label)
 *   answer     NOTE text *   then READY, REFUSED text, or NOT-HERE text; in the foreground, later: ENDED [what is lost]
 *   question   "hammer2-rollback-1"  namespace  label  source  =keep|-                    (of what is mounted; -: keep nothing)
 *   answer     READY time-in-core-ns, REFUSED text, or NOT-HERE text
 * </pre>
 */
final class MountMessages {
    static final String NOTE = "NOTE";
    static final String READY = "READY";
    static final String REFUSED = "REFUSED";
    static final String NOT_HERE = "NOT-HERE";
    static final String ENDED = "ENDED";

    private static final String MAGIC = "hammer2-mount-1";
    private static final int QUESTION_BYTES_MAX = 1 << 16;
    private static final int LINE_BYTES_MAX = 1 << 16;
    private static final int FIELDS_BEFORE_OPTIONS = 6;
    private static final String ROLLBACK_MAGIC = "hammer2-rollback-1";
    private static final int ROLLBACK_FIELDS = 5;
    private static final Path NAMESPACE = Path.of("/proc/self/ns/mnt");

    private MountMessages() {}

    /** What a command asks for. */
    sealed interface Question {
        /** Of mounts in which the command runs, see {@link MountMessages#namespace}. */
        String namespace();
    }

    /** @param isForeground the connection ends with the mount, and the mount with the connection */
    record Mount(String namespace, boolean isForeground, MountRequest request) implements Question {}

    /**
     * A PFS that is mounted is to have the content of another.
     *
     * @param keep name of a snapshot of what it holds, or null
     */
    record Rollback(String namespace, String label, String source, String keep) implements Question {}

    /** Of this process: what it mounts is seen in there only. "" where there is no such thing. */
    static String namespace() {
        try {
            return Files.readSymbolicLink(NAMESPACE).toString();
        } catch (IOException e) {
            return "";
        }
    }

    static void ask(SocketChannel connection, Question question) throws IOException {
        List<String> fields = switch (question) {
            case Mount mount -> fieldsOf(mount);
            case Rollback(String namespace, String label, String source, String keep) ->
                List.of(ROLLBACK_MAGIC, namespace, label, source, optional(keep));
        };
        byte[] bytes = (String.join("\0", fields) + "\0").getBytes(StandardCharsets.UTF_8);
        if (bytes.length > QUESTION_BYTES_MAX) {
            throw new IOException("the arguments are too long");
        }
        write(
                connection,
                ByteBuffer.allocate(Integer.BYTES + bytes.length)
                        .putInt(bytes.length)
                        .put(bytes)
                        .flip());
    }

    private static List<String> fieldsOf(Mount question) {
        MountRequest request = question.request();
        List<String> fields = new ArrayList<>(List.of(
                MAGIC,
                question.namespace(),
                question.isForeground() ? "f" : "b",
                request.special(),
                optional(request.label()),
                request.node().toAbsolutePath().toString()));
        fields.addAll(request.options());
        return fields;
    }

    private static String optional(String value) {
        return value == null ? "-" : "=" + value;
    }

    private static String optionalOf(String field) {
        return field.startsWith("=") ? field.substring(1) : null;
    }

    /** @throws IOException also when it is no question, or longer than any */
    static Question readQuestion(SocketChannel connection) throws IOException {
        int length = readFully(connection, Integer.BYTES).getInt();
        if (length < 0 || length > QUESTION_BYTES_MAX) {
            throw new IOException("no question");
        }
        String text =
                StandardCharsets.UTF_8.decode(readFully(connection, length)).toString();
        List<String> fields = List.of(text.split("\0", -1));
        // Behind the last zero byte there is nothing.
        int count = fields.size() - 1;
        if (count == ROLLBACK_FIELDS && fields.getFirst().equals(ROLLBACK_MAGIC)) {
            return new Rollback(fields.get(1), fields.get(2), fields.get(3), optionalOf(fields.get(4)));
        }
        if (count < FIELDS_BEFORE_OPTIONS || !fields.getFirst().equals(MAGIC)) {
            throw new IOException("no question");
        }
        MountRequest request = new MountRequest(
                fields.get(3),
                optionalOf(fields.get(4)),
                Path.of(fields.get(5)),
                List.copyOf(fields.subList(FIELDS_BEFORE_OPTIONS, count)));
        return new Mount(fields.get(1), fields.get(2).equals("f"), request);
    }

    static void say(SocketChannel connection, String word, String text) throws IOException {
        write(
                connection,
                ByteBuffer.wrap((word + " " + text.replace('\n', ' ') + "\n").getBytes(StandardCharsets.UTF_8)));
    }

    /** @return a line without its end, or null when the other side has hung up */
    static String readLine(SocketChannel connection) throws IOException {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        ByteBuffer one = ByteBuffer.allocate(1);
        while (line.size() <= LINE_BYTES_MAX && connection.read(one) > 0) {
            if (one.get(0) == '\n') {
                return line.toString(StandardCharsets.UTF_8);
            }
            line.write(one.get(0));
            one.clear();
        }
        return null;
    }

    /** Reads, and throws away, until the other side hangs up. */
    static void awaitHangUp(SocketChannel connection) throws IOException {
        ByteBuffer nothing = ByteBuffer.allocate(1);
        while (connection.read(nothing) >= 0) {
            nothing.clear();
        }
    }

    private static ByteBuffer readFully(SocketChannel connection, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining()) {
            if (connection.read(buffer) < 0) {
                throw new EOFException();
            }
        }
        return buffer.flip();
    }

    private static void write(SocketChannel connection, ByteBuffer bytes) throws IOException {
        while (bytes.hasRemaining()) {
            connection.write(bytes);
        }
    }
}
