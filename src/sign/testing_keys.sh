#!/bin/sh
# testing_keys.sh FOLDER - keys, certificates, revocation lists and signatures for tests, all made here and now.
#   trust/      root.pem, root.crl, nca.crl: what an administrator lays into the folder of anchors
#   letter.txt  what is signed; letter.p7s (RSA), letter-ec.p7s, letter-plain.p7s (no attributes), letter-attached.p7s, letter-sha1.p7s,
#               letter-revoked.p7s, letter-stranger.p7s (an authority nobody trusts), letter-login.p7s (a key that may not sign)
#   gost/       with Debian's engine: a root, a list, a signer and letter-{256,512}.p7s under Russian identifiers; the test turns
#               them into Kazakh ones. Exit 3: all but the GOST part was made.
set -e
cd "$1"
export LC_ALL=C.UTF-8
exec 3>&2 2>keys.log
mkdir -p trust db gost
cat >cnf <<'CNF'
[req]
distinguished_name = dn
prompt = no
utf8 = yes
string_mask = utf8only
[dn]
CN = unused
[root]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[nca]
basicConstraints = critical,CA:true,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[person]
basicConstraints = CA:false
keyUsage = critical,digitalSignature,nonRepudiation
extendedKeyUsage = emailProtection,1.2.398.3.3.4.1.2,1.2.398.3.3.4.1.2.1,1.2.398.3.3.4.1.2.2
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[login]
keyUsage = critical,keyEncipherment
[ca]
default_ca = one
[one]
database = db/$ENV::CA.txt
crlnumber = db/$ENV::CA.number
default_md = sha256
default_crl_days = 30
unique_subject = no
CNF
export CA=root
who='/CN=СЕРІК АЙГҮЛ/SN=СЕРІК/serialNumber=IIN901231400123/C=KZ/O="ЦИФРЛЫҚ ҚЫЗМЕТ" АҚ/OU=BIN123456789012'
req() { openssl req -config cnf -utf8 -batch "$@"; }
key() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1.key"; }
list() { : >"db/$1.txt"; [ -z "$2" ] || cp "$2" "db/$1.txt"; echo 01 >"db/$1.number"; CA=$1 openssl ca -config cnf -gencrl -cert "$1.pem" -keyfile "$1.key" -out "trust/$1.crl"; }
issue() { # NAME SUBJECT SECTION SERIAL
    req -new -key "$1.key" -subj "$2" -out "$1.csr"
    openssl x509 -req -in "$1.csr" -CA nca.pem -CAkey nca.key -set_serial "$4" -days 365 -extfile cnf -extensions "$3" -out "$1.pem"
}
sign() { openssl cms -sign -binary -in letter.txt -outform DER -nosmimecap -certfile nca.pem "$@"; }

printf 'Ақпараттық қауіпсіздік оқиғасы туралы хабарлама\n' >letter.txt
key root; req -x509 -new -key root.key -subj '/CN=Test Root' -days 3650 -extensions root -out root.pem
key nca; req -new -key nca.key -subj '/CN=Test NCA' -out nca.csr
openssl x509 -req -in nca.csr -CA root.pem -CAkey root.key -set_serial 2 -days 3000 -extfile cnf -extensions nca -out nca.pem
cp root.pem trust/
key person; issue person "$who" person 0x1001
key gone; issue gone '/CN=REVOKED' person 0x1002
key login; issue login '/CN=LOGIN' login 0x1003
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key; issue ec "$who" person 0x1004
list root
printf 'R\t400101000000Z\t260101000000Z,keyCompromise\t1002\tunknown\t/CN=REVOKED\n' >revoked
list nca revoked
key stranger; req -x509 -new -key stranger.key -subj '/CN=STRANGER' -days 30 -extensions person -out stranger.pem
sign -signer person.pem -inkey person.key -out letter.p7s
sign -signer ec.pem -inkey ec.key -out letter-ec.p7s
sign -signer person.pem -inkey person.key -noattr -out letter-plain.p7s
sign -signer person.pem -inkey person.key -keyopt rsa_padding_mode:pss -out letter-pss.p7s
sign -signer person.pem -inkey person.key -nodetach -out letter-attached.p7s
sign -signer person.pem -inkey person.key -md sha1 -out letter-sha1.p7s
sign -signer gone.pem -inkey gone.key -out letter-revoked.p7s
sign -signer login.pem -inkey login.key -out letter-login.p7s
sign -signer stranger.pem -inkey stranger.key -out letter-stranger.p7s
sign -signer person.pem -inkey person.key -signer ec.pem -inkey ec.key -out letter-two.p7s
openssl cms -sign -binary -in letter.txt -outform PEM -nosmimecap -certfile nca.pem -signer person.pem -inkey person.key -out letter.pem

openssl engine gost >/dev/null 2>&1 || exit 3
gost() { # BITS PARAMSET
    md=md_gost12_$1
    openssl genpkey -engine gost -algorithm "gost2012_$1" -pkeyopt "paramset:$2" -out "gost/root-$1.key"
    openssl genpkey -engine gost -algorithm "gost2012_$1" -pkeyopt "paramset:$2" -out "gost/person-$1.key"
    req -engine gost -x509 -new -key "gost/root-$1.key" "-$md" -subj "/CN=Test GOST $1" -days 3650 -extensions root -out "gost/root-$1.pem"
    req -engine gost -new -key "gost/person-$1.key" "-$md" -subj "$who" -out gost/person.csr
    openssl x509 -engine gost -req -in gost/person.csr -CA "gost/root-$1.pem" -CAkey "gost/root-$1.key" "-$md" -set_serial 0x2001 -days 365 \
        -extfile cnf -extensions person -out "gost/person-$1.pem"
    : >db/gost.txt; echo 01 >db/gost.number
    CA=gost openssl ca -engine gost -config cnf -gencrl -md "$md" -cert "gost/root-$1.pem" -keyfile "gost/root-$1.key" -out "gost/root-$1.crl"
    openssl cms -engine gost -sign -binary -in letter.txt -outform DER -nosmimecap -nocerts -md "$md" -signer "gost/person-$1.pem" \
        -inkey "gost/person-$1.key" -out "gost/letter-$1.p7s"
    openssl cms -engine gost -sign -binary -in letter.txt -outform DER -nosmimecap -nocerts -noattr -md "$md" -signer "gost/person-$1.pem" \
        -inkey "gost/person-$1.key" -out "gost/plain-$1.p7s"
    for f in root person; do openssl x509 -engine gost -in "gost/$f-$1.pem" -outform DER -out "gost/$f-$1.der"; done
    openssl crl -in "gost/root-$1.crl" -outform DER -out "gost/list-$1.der"
}
gost 512 A
gost 256 TCA
