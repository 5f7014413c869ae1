import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** The files of a certificate, in PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test's own, in this folder, and what makes certificates that it signs. */
export function createAuthority(folder: string, name = "ca") {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  const subject = ["-subj", `/CN=${name}`, "-days", "2"];
  openssl("req", "-x509", "-newkey", "rsa:2048", "-noenc", "-keyout", key, "-out", cert, ...subject);
  return {
    cert,
    /** A certificate for this machine's own addresses, or a client's. */
    sign(subject: string): CertificateFiles {
      const file = (ending: string) => join(folder, `${subject}.${ending}`);
      writeFileSync(file("ext"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
      const request = ["-newkey", "rsa:2048", "-noenc", "-keyout", file("key"), "-out", file("csr")];
      openssl("req", ...request, "-subj", `/CN=${subject}`);
      const signer = ["-CA", cert, "-CAkey", key, "-CAcreateserial", "-days", "2", "-extfile", file("ext")];
      openssl("x509", "-req", "-in", file("csr"), "-out", file("crt"), ...signer);
      return { cert: file("crt"), key: file("key") };
    },
  };
}

function openssl(...args: string[]): void {
  execFileSync("openssl", args, { stdio: "pipe" });
}
