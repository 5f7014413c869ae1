import { ServerCredentials } from "@grpc/grpc-js";
import { clientVerification, secureContext, type TlsIdentity } from "./tls.ts";

/** Credentials of a gRPC server whose identity may be replaced while it runs, which the library's own can't. */
export class ReplaceableCredentials extends ServerCredentials {
  constructor(identity: TlsIdentity) {
    super(clientVerification(identity), secureContext(identity));
  }

  /** New connections get this identity. */
  replace(identity: TlsIdentity): void {
    this.updateSecureContextOptions(secureContext(identity));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}
