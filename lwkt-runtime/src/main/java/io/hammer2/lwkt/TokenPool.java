package io.hammer2.lwkt;

/** A fixed set of tokens that serialise any number of objects: each object has the token its hash selects. */
public final class TokenPool {
    private final Token[] tokens;

    /** A pool of so many tokens, rounded up to a power of two. */
    public TokenPool(String name, int size) {
        if (size < 1) {
            throw new IllegalArgumentException("a pool of " + size + " tokens");
        }
        tokens = new Token[size == 1 ? 1 : Integer.highestOneBit(size - 1) * 2];
        for (int i = 0; i < tokens.length; i++) {
            tokens[i] = new Token(name + "[" + i + "]");
        }
    }

    /** The token of an object, by identity. Two objects may have the same one: a thread that takes both takes it recursively. */
    public Token of(Object object) {
        return of((long) System.identityHashCode(object));
    }

    /** The token of a number, of an inode for instance. */
    public Token of(long number) {
        long mixed = number * 0x9E37_79B9_7F4A_7C15L;
        return tokens[(int) (mixed >>> 32) & (tokens.length - 1)];
    }

    /** How often someone had to wait for one of the tokens. */
    public long collisions() {
        long sum = 0;
        for (Token token : tokens) {
            sum += token.collisions();
        }
        return sum;
    }
}
