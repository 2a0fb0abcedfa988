package dev.reweave.storage;

import java.io.Serializable;

/**
 * What finds a part again when the file is put together.
 *
 * @param number of the part, from 1
 * @param token the store's own, in Base64, or the name of the part's file; empty where its place is
 *     enough
 */
public record PartReceipt(int number, String token) implements Serializable {}
