# Names that attributes once had.
lib: self: super:
let
  mapAliases = aliases: aliases;
in
mapAliases {
  Plain = self.plain;
  ancient = throw "ancient has been removed"; # added 2024-05-01
}
