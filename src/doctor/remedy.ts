/** An action of AWS as its own refusals and our messages name it: `dynamodb:PutItem`. */
const action = /\b(dynamodb|autoscaling|ec2):([A-Z][A-Za-z]+)\b/;

/**
 * What to do about a failure, by what was said of it.
 *
 * @param said - The failure with all its causes.
 * @param otherwise - The remedy where nothing more is known.
 */
export function remedyOf(said: string, otherwise: string): string {
  const right = action.exec(said)?.[0];
  if (/AccessDenied|not authorized|needs this permission|Unauthorized/i.test(said)) {
    const which = right === undefined ? 'this action' : right;
    return `allow ${which} in the policy of this role or user (terraform/iam.tf has all that hsdo needs)`;
  }
  if (/credentials|UnrecognizedClient|InvalidSignature|security token/i.test(said)) {
    return 'give credentials by profile, environment or instance role; `aws sts get-caller-identity` shows who you are';
  }
  if (/Region is missing|no such table/.test(said)) {
    return 'set region (AWS_DEFAULT_REGION) and the name of the table; terraform/ makes one that fits';
  }
  if (/expected one in this region and account with the key/.test(said)) {
    return 'name another table, or make one with that key: terraform/ does';
  }
  if (/permission denied|lacks the right|not see|ACL|auth(entication|orization)/i.test(said)) {
    return 'give the user or token the right to read and write under the prefix, or correct its password';
  }
  if (/certificate|self.signed|CERT_|TLS|SSL/i.test(said)) {
    return 'name the authority that signed the certificate in tls.ca, and the name it bears in tls.serverName';
  }
  return reachRemedyOf(said) ?? otherwise;
}

/** What to do where somebody cannot be reached, by what was said of it; `undefined` where it was something else. */
export function reachRemedyOf(said: string): string | undefined {
  if (/ENOTFOUND|EAI_AGAIN|getaddrinfo/.test(said))
    return 'the name is not known in DNS here: correct it, or the resolver';
  if (/ECONNREFUSED/.test(said)) return 'nothing listens there: start it, or correct address and port';
  if (/did not answer|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH/.test(said)) {
    return 'nothing comes back: look at firewalls, security groups and routes between here and there';
  }
  return undefined;
}

/** True for words of TLS about a certificate that is not believed. */
export const isAboutCertificate = (said: string): boolean => /certificate|self.signed|CERT_/i.test(said);
