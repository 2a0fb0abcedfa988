package dev.reweave.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.apache.hadoop.conf.Configuration;

/**
 * Stands in front of an {@link S3Server}, notes every request, and does harm where it is told to.
 * All else passes byte by byte: headers, {@code Expect: 100-continue}, chunked bodies and their
 * trailers.
 */
public final class FaultProxy implements AutoCloseable {
  private static final int BACKLOG = 100;

  private final InetSocketAddress server;
  private final Link link;
  private final ServerSocket listener;
  private final Thread acceptor = daemon(this::accept);
  private final ExecutorService threads = Executors.newCachedThreadPool(FaultProxy::daemon);
  private final Set<Socket> clients = ConcurrentHashMap.newKeySet();
  private final List<Rule> rules = new CopyOnWriteArrayList<>();
  private final List<Recorded> requests = new CopyOnWriteArrayList<>();
  private final Traffic traffic = new Traffic();

  /**
   * A request as it came.
   *
   * @param method in upper case
   * @param path without percent encoding, such as {@code /bucket/my file}
   * @param query as sent, without the question mark; empty if there is none
   * @param headers by name in lower case
   */
  public record Request(String method, String path, String query, Map<String, String> headers) {
    /** The {@code Range} header, such as {@code bytes=0-99}; empty if there is none. */
    public String range() {
      return headers.getOrDefault("range", "");
    }

    static Request of(HttpHead head) {
      URI target = URI.create(head.startLinePart(1));
      String query = Optional.ofNullable(target.getRawQuery()).orElse("");
      return new Request(head.startLinePart(0), target.getPath(), query, head.headers());
    }
  }

  /**
   * A request and the status that the store or a fault gave it.
   *
   * @param status the HTTP status; {@link #NO_ANSWER} where the store was never asked
   * @param millis when that was, since the epoch
   */
  public record Recorded(Request request, int status, long millis) {
    /** The status of a request whose connection was reset before the store saw it. */
    public static final int NO_ANSWER = 0;
  }

  private record Rule(Predicate<Request> when, AtomicInteger times, Fault fault) {
    boolean applies(Request request) {
      return when.test(request) && times.getAndUpdate(left -> Math.max(0, left - 1)) > 0;
    }
  }

  private FaultProxy(URI server, Link link) throws IOException {
    this.server = new InetSocketAddress(server.getHost(), server.getPort());
    this.link = link;
    this.listener = new ServerSocket(0, BACKLOG, InetAddress.getLoopbackAddress());
  }

  /** Starts a proxy in front of a server, on a free port. */
  public static FaultProxy start(S3Server server) throws IOException {
    return start(server.endpoint(), Link.NEAR);
  }

  /** Starts a proxy in front of a server that is as far away as the link says. */
  public static FaultProxy start(URI server, Link link) throws IOException {
    FaultProxy proxy = new FaultProxy(server, link);
    proxy.acceptor.start();
    return proxy;
  }

  /** Where it listens, such as {@code http://127.0.0.1:40123}. */
  public URI endpoint() {
    return URI.create("http://127.0.0.1:" + listener.getLocalPort());
  }

  /** Makes {@code s3a:} addresses lead here, to the server behind. */
  public void configure(Configuration conf) {
    settings().forEach(conf::set);
  }

  /** The Hadoop settings that make {@code s3a:} addresses lead here, to the server behind. */
  public Map<String, String> settings() {
    return S3Server.settings(endpoint());
  }

  /** The same, and requests are signed as on S3: only then do checksums go with what is sent. */
  public Map<String, String> signedSettings() {
    Map<String, String> signed = settings();
    signed.remove(S3Server.SIGNING);
    return signed;
  }

  /**
   * Harms the next requests of a kind. Of several rules for a request, the first that is not used
   * up applies.
   *
   * @param when says which requests
   * @param times how many of them
   */
  public void inject(Predicate<Request> when, int times, Fault fault) {
    rules.add(new Rule(when, new AtomicInteger(times), fault));
  }

  /** All requests so far; in the order of their answers. */
  public List<Recorded> requests() {
    return List.copyOf(requests);
  }

  /** How many requests of a kind came so far, whatever became of them. */
  public long count(Predicate<Request> kind) {
    return requests.stream().map(Recorded::request).filter(kind).count();
  }

  /** Bytes that came from the store so far, heads of answers included. */
  public long bytesFetched() {
    return traffic.fetched();
  }

  /** Bytes that went to the store so far, heads of requests included. */
  public long bytesSent() {
    return traffic.sent();
  }

  /** Forgets the requests so far, their bytes, and all rules. */
  public void clear() {
    traffic.clear();
    rules.clear();
    requests.clear();
  }

  /** Closes every connection. */
  @Override
  public void close() {
    try {
      listener.close();
      acceptor.join();
      for (Socket client : clients) {
        client.close();
      }
      threads.shutdown();
      if (!threads.awaitTermination(1, TimeUnit.MINUTES)) {
        throw new IllegalStateException("a connection of the proxy does not end");
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  Optional<Fault> faultFor(Request request) {
    return rules.stream().filter(rule -> rule.applies(request)).map(Rule::fault).findFirst();
  }

  Traffic traffic() {
    return traffic;
  }

  void record(Request request, int status) {
    requests.add(new Recorded(request, status, System.currentTimeMillis()));
  }

  private static Thread daemon(Runnable task) {
    Thread thread = new Thread(task, "fault-proxy");
    thread.setDaemon(true);
    return thread;
  }

  private void accept() {
    try {
      while (true) {
        Socket client = listener.accept();
        clients.add(client);
        threads.execute(() -> serve(client));
      }
    } catch (IOException e) {
      // Closed: nothing more to accept.
    }
  }

  private void serve(Socket client) {
    try (client) {
      new ProxyConnection(this, client, server, link).run();
    } catch (IOException e) {
      // One side went away, or a fault wants it so: the other learns it from the closed connection.
    } finally {
      clients.remove(client);
    }
  }
}
