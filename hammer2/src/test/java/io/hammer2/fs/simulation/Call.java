package io.hammer2.fs.simulation;

/** An operation that a client did, and between which two moments; they are counted over all clients. */
final class Call {
    private final Operation operation;
    private Outcome outcome;
    private int begin;
    private int end;

    Call(Operation operation) {
        this.operation = operation;
    }

    Operation operation() {
        return operation;
    }

    Outcome outcome() {
        return outcome;
    }

    void began(int moment) {
        begin = moment;
    }

    void ended(int moment, Outcome what) {
        end = moment;
        outcome = what;
    }

    /** Whether this had ended when the other began. */
    boolean precedes(Call other) {
        return end < other.begin;
    }

    /** Whether it says that what came before is durable. */
    boolean isDurable() {
        return operation.kind() == Operation.Kind.SYNC && !outcome.failed();
    }

    @Override
    public String toString() {
        return "[%d-%d] %s -> %s".formatted(begin, end, operation, outcome);
    }
}
