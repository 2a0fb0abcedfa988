package dev.reweave.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * What stands where a Kubernetes answers: it takes all that it is asked to make, keeps it, and
 * makes nothing.
 */
public final class KubernetesApi implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final HttpServer server;
  private final List<Wanted> all = new CopyOnWriteArrayList<>();

  /**
   * What somebody wanted to be made.
   *
   * @param path where, with the namespace
   */
  public record Wanted(String path, JsonNode content) {
    private boolean is(String kind) {
      return content.path("kind").asText().equals(kind);
    }
  }

  private KubernetesApi(HttpServer server) {
    this.server = server;
  }

  /** Starts one on this machine. */
  public static KubernetesApi start() throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    KubernetesApi api = new KubernetesApi(server);
    server.createContext("/", api::answer);
    server.start();
    return api;
  }

  /** What {@code --master} names. */
  public String master() {
    return "k8s://http://127.0.0.1:" + server.getAddress().getPort();
  }

  /** All of a kind, such as {@code Pod}. */
  public List<Wanted> wanted(String kind) {
    return all.stream().filter(wanted -> wanted.is(kind)).toList();
  }

  private void answer(HttpExchange exchange) throws IOException {
    try (exchange) {
      byte[] sent = exchange.getRequestBody().readAllBytes();
      boolean makes = List.of("POST", "PUT", "PATCH").contains(exchange.getRequestMethod());
      ObjectNode answer = makes ? make(exchange, sent) : nothing();
      byte[] bytes = JSON.writeValueAsBytes(answer);
      exchange.getResponseHeaders().set("Content-Type", "application/json");
      exchange.sendResponseHeaders(makes ? 201 : 404, bytes.length);
      exchange.getResponseBody().write(bytes);
    }
  }

  private ObjectNode make(HttpExchange exchange, byte[] sent) throws IOException {
    ObjectNode made = (ObjectNode) JSON.readTree(sent);
    all.add(new Wanted(exchange.getRequestURI().getPath(), made.deepCopy()));
    made.withObjectProperty("metadata").put("uid", "uid-" + all.size());
    return made;
  }

  private static ObjectNode nothing() {
    return JSON.createObjectNode()
        .put("kind", "Status")
        .put("apiVersion", "v1")
        .put("status", "Failure")
        .put("reason", "NotFound")
        .put("code", 404);
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
