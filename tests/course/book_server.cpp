// `course book`: the guide, built by book/build.sh and served on this machine.
// A page that is opened as a file cannot load the search index or the figures'
// scripts in some browsers; a few lines of HTTP can.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cctype>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <thread>

#include "commands.h"
#include "process.h"
#include "terminal.h"

namespace lsm::course {
namespace {

namespace fs = std::filesystem;

constexpr int kPortsTried = 20;
constexpr std::size_t kMostRequestBytes = 16 * 1024;

std::string_view type_of(const fs::path& path) {
  static const std::map<std::string, std::string_view> kTypes = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".woff2", "font/woff2"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"}};
  const auto found = kTypes.find(path.extension().string());
  return found == kTypes.end() ? "application/octet-stream" : found->second;
}

void send_all(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), 0);
    if (sent <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void answer(int socket, const fs::path& folder) {
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string request;
  std::array<char, 4096> buffer;
  while (request.find("\r\n\r\n") == std::string::npos &&
         request.size() < kMostRequestBytes) {
    const ssize_t got = recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    request.append(buffer.data(), static_cast<std::size_t>(got));
  }
  const std::size_t space = request.find(' ');
  const std::size_t end = request.find(' ', space + 1);
  const bool head = request.starts_with("HEAD ");
  std::string status = "404 Not Found";
  std::string_view type = "text/plain; charset=utf-8";
  std::string body = "There is no such page.\n";
  if ((request.starts_with("GET ") || head) && end != std::string::npos) {
    const fs::path path =
        path_of_url(folder, request.substr(space + 1, end - space - 1));
    if (!path.empty() && fs::is_regular_file(path)) {
      status = "200 OK";
      type = type_of(path);
      body = read_file(path);
    }
  }
  send_all(socket, fmt::format("HTTP/1.1 {}\r\nContent-Type: {}\r\n"
                               "Content-Length: {}\r\n"
                               "Cache-Control: no-cache\r\n"
                               "Connection: close\r\n\r\n",
                               status, type, body.size()));
  if (!head) send_all(socket, body);
  close(socket);
}

// A listening socket at the first free port from `port` on; -1 when none is.
int listen_from(int& port) {
  for (int tried = 0; tried < kPortsTried; tried++, port++) {
    const int socket_ = socket(AF_INET, SOCK_STREAM, 0);
    if (socket_ < 0) return -1;
    const int on = 1;
    setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) ==
            0 &&
        listen(socket_, 16) == 0) {
      return socket_;
    }
    close(socket_);
  }
  return -1;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

fs::path path_of_url(const fs::path& folder, std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  if (!url.starts_with('/')) return {};
  std::string decoded;
  for (std::size_t i = 0; i < url.size(); i++) {
    if (url[i] != '%') {
      decoded += url[i];
      continue;
    }
    if (i + 2 >= url.size()) return {};
    const int high = hex_digit(url[i + 1]);
    const int low = hex_digit(url[i + 2]);
    if (high < 0 || low < 0 || high * 16 + low == 0) return {};
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  const fs::path relative = fs::path(decoded.substr(1)).lexically_normal();
  if (relative.is_absolute() ||
      (!relative.empty() && *relative.begin() == "..")) {
    return {};
  }
  fs::path path = folder / relative;
  if (fs::is_directory(path)) path /= "index.html";
  return path;
}

int command_book(const Course& course, int port, bool build_only) {
  const fs::path script = course.root / "book" / "build.sh";
  const Finished built =
      run({"bash", script.string()}, course.root, {}, Capture::no);
  if (built.status != 0) return 1;
  const fs::path folder = course.root / "book" / "build";
  if (build_only) return 0;
  std::signal(SIGPIPE, SIG_IGN);
  const int listening = listen_from(port);
  if (listening < 0) {
    fmt::print(stderr, "No free port near {}: {}. Choose one: --port 8080\n",
               port, std::strerror(errno));
    return 1;
  }
  fmt::print("\n  The guide is at {}  (Ctrl-C ends it)\n",
             ink(Ink::link, fmt::format("http://localhost:{}/", port)));
  std::fflush(stdout);
  while (true) {
    const int connection = accept(listening, nullptr, nullptr);
    if (connection < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      return 1;
    }
    // Browsers hold connections open ahead of need; one thread each.
    std::thread(answer, connection, folder).detach();
  }
}

}  // namespace lsm::course
