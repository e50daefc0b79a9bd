select auction, bidder, price, date_time as dt, extra,
  row_number() over (partition by auction order by price desc, date_time, bidder, extra) as place
from bid
qualify place <= 10
