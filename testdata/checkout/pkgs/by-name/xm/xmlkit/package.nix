{
  mkDerivation,
  zlib,
  pythonSupport ? false,
}:

mkDerivation {
  pname = "xmlkit";
  version = "2.14.1";

  buildInputs = [ zlib ];
  inherit pythonSupport;
}
