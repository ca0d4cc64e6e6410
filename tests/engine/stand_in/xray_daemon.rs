//! What the X-Ray daemon is to a container check: a program that listens on 2000/udp, or tells why it does not.
//!
//! Compiled by itself, linked statically, and put into an image FROM scratch.

fn main() {
    let mut args = std::env::args().skip(1);
    if args.next().as_deref() == Some("--fail") {
        eprintln!("starting the X-Ray daemon");
        eprintln!("{}", args.next().unwrap_or_default());
        std::process::exit(1);
    }
    let socket = std::net::UdpSocket::bind("0.0.0.0:2000").expect("2000/udp is free in a container of one's own");
    println!("listening on 2000/udp");
    let mut datagram = [0; 65536];
    while socket.recv(&mut datagram).is_ok() {}
}
