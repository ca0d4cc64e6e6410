//! A service that says hello.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn main() {
    let port = std::env::var("PORT").unwrap_or_else(|_| "4567".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
    for stream in listener.incoming().flatten() {
        answer(stream);
    }
}

fn answer(mut stream: TcpStream) {
    let mut request = [0; 4096];
    let _ = stream.read(&mut request);
    //@ since first/an-answer
    //~ let (status, body) = ("404 Not Found", String::new());
    let (status, body) = ("200 OK", greeting());
    //@ end
    let length = body.len();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
}
//@ since first/an-answer

fn greeting() -> String {
    //@ since first/a-name
    //~ "hello".to_owned()
    let name = std::env::var("NAME").unwrap_or_default();
    format!("hello, {name}")
    //@ end
}
//@ end
