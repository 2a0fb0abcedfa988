package dev.reweave.look.page;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogEntry;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** Chromium without a window, and the report that is open in it. */
final class Browser implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final ChromeDriver driver;

  Browser() {
    LoggingPreferences logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    ChromeOptions options = new ChromeOptions();
    options.setBinary(System.getProperty("browser.binary"));
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--hide-scrollbars",
        "--host-resolver-rules=MAP * ~NOTFOUND");
    options.setCapability("goog:loggingPrefs", logs);
    ChromeDriverService service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(new File(System.getProperty("browser.driver")))
            .build();
    driver = new ChromeDriver(service, options);
    driver.manage().timeouts().scriptTimeout(Duration.ofMinutes(3));
    driver.manage().timeouts().pageLoadTimeout(Duration.ofMinutes(3));
    size(1600, 1000);
  }

  @Override
  public void close() {
    driver.quit();
  }

  void size(int width, int height) {
    driver.manage().window().setSize(new Dimension(width, height));
  }

  /**
   * Writes a report, opens it, and waits until it has drawn itself; nothing went wrong on the way.
   */
  void open(SampleReport sample, Path folder) throws IOException {
    Path file = folder.resolve("reweave-report.html");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      ReportPage.write(out, sample.json());
    }
    driver.get(file.toUri().toString());
    driver.executeAsyncScript(
        "const done = arguments[0];"
            + "window.reweaveReport.ready.then(() => done(''), e => done(String(e)));");
    assertEquals("", text("#problem"));
  }

  /** What the console shows since it was last asked. */
  List<String> console() {
    return driver.manage().logs().get(LogType.BROWSER).getAll().stream()
        .map(LogEntry::toString)
        .toList();
  }

  /** Addresses that were asked for since this was last asked, but for files. */
  List<String> requests() throws JsonProcessingException {
    List<String> addresses = new ArrayList<>();
    for (LogEntry entry : driver.manage().logs().get(LogType.PERFORMANCE)) {
      JsonNode message = JSON.readTree(entry.getMessage()).path("message");
      String address = message.path("params").path("request").path("url").asText();
      if (message.path("method").asText().equals("Network.requestWillBeSent")
          && !address.startsWith("file:")
          && !address.startsWith("data:")) {
        addresses.add(address);
      }
    }
    return addresses;
  }

  /** What an expression of the page gives, by way of JSON. */
  JsonNode value(String expression) throws JsonProcessingException {
    Object json = driver.executeScript("return JSON.stringify(" + expression + ")");
    return JSON.readTree(json == null ? "null" : json.toString());
  }

  WebElement find(String selector) {
    return driver.findElement(By.cssSelector(selector));
  }

  List<WebElement> all(String selector) {
    return driver.findElements(By.cssSelector(selector));
  }

  /** Text of the page, hidden or not. */
  String text(String selector) {
    return String.valueOf(find(selector).getDomProperty("textContent"));
  }

  void choose(String radio) {
    driver.executeScript("document.getElementById(arguments[0]).click()", radio);
  }

  void focus(String selector) {
    driver.executeScript("document.querySelector(arguments[0]).focus()", selector);
  }

  /** To what has the focus, as a keyboard would. */
  void press(CharSequence... keys) {
    driver.switchTo().activeElement().sendKeys(keys);
  }

  String focused() {
    return String.valueOf(driver.switchTo().activeElement().getDomProperty("id"));
  }

  /** As if the system had another theme. */
  void prefer(String theme) {
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", theme))));
  }

  /** The whole page, also what is out of sight. */
  void picture(Path file) throws IOException {
    Files.createDirectories(file.getParent());
    Object data =
        driver
            .executeCdpCommand(
                "Page.captureScreenshot", Map.of("format", "png", "captureBeyondViewport", true))
            .get("data");
    Files.write(file, Base64.getDecoder().decode(String.valueOf(data)));
  }
}
