package io.hammer2.fs.newfs;

/** What was asked for makes no file system; nothing was written. The message is for people. */
public final class NewfsException extends Exception {
    NewfsException(String message) {
        super(message);
    }
}
